/** Linear memory of WebAssembly instances in a Juvm address space, and their fork. */
package org.juvm.wasm;
