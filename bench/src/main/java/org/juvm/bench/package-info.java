/** Measures Juvm against the JVM's own memory and the operating system's. */
package org.juvm.bench;
