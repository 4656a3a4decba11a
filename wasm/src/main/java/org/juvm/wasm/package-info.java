/**
 * WebAssembly programs in Juvm address spaces.
 *
 * <p>A {@link org.juvm.wasm.VmMemory} is what the engine asks for when an instance needs a linear
 * memory: it maps the memory into a vmspace of its own and lets a {@link org.juvm.Cpu} do every
 * access. The engine's generated code does not know the difference; out of bounds is what the MMU
 * finds unmapped, growth is one more mapping, and pages that no one touches do not exist.
 *
 * <p>What such a memory can do and an array cannot is to fork. A {@link org.juvm.wasm.WasmProgram}
 * starts a {@link org.juvm.wasm.WasmProcess}, which can be warmed up and then forked while it is
 * idle, as a Unix process forks: copy-on-write memory, and globals and tables of its own. Package
 * {@link org.juvm.wasm.program} does this with real programs.
 */
package org.juvm.wasm;
