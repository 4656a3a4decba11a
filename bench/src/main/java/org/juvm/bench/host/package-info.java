/** The host: its memory calls, its compiler, its processes. */
package org.juvm.bench.host;
