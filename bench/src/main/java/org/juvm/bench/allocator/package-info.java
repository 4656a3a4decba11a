/** Allocators of native memory, behind one interface. */
package org.juvm.bench.allocator;
