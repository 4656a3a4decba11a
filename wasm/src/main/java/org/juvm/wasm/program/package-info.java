/**
 * Programs that nobody wrote for Juvm, with all of their memory in an address space.
 *
 * <p>Three are brought along by the build: {@linkplain org.juvm.wasm.program.PythonSession
 * CPython}, {@linkplain org.juvm.wasm.program.SqliteSession SQLite} and {@linkplain
 * org.juvm.wasm.program.JavaScriptSession QuickJS}, each compiled to Java bytecode before it gets
 * here. A session is one such program that has been started and waits for something to do; it can
 * be forked as often as there is memory, and parent and children then share all pages that neither
 * has written since. {@link org.juvm.wasm.program.WasiProgram} takes any other command from a file.
 *
 * <p>A {@link org.juvm.wasm.program.GuestProgram} is the same thing as a shell sees it: it is given
 * a {@link org.juvm.wasm.program.GuestEnvironment}, runs, and has an exit status.
 */
package org.juvm.wasm.program;
