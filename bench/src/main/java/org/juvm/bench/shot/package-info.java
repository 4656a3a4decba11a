/** Measurements whose state must be prepared for each timing, each in a JVM of its own. */
package org.juvm.bench.shot;
