/**
 * Juvm: address spaces, demand paging and copy-on-write as a library.
 *
 * <p>A {@link org.juvm.Vm} is a machine with a fixed amount of memory. It makes {@link
 * org.juvm.Vmspace}s, address spaces in which memory can be mapped, protected, unmapped and forked,
 * and {@link org.juvm.Cpu}s, through which a thread loads and stores in the vmspace that it is
 * attached to. Memory is not there until it is touched: the first access takes a page fault, which
 * finds or makes a page, or throws {@link org.juvm.MemoryFault}.
 *
 * <pre>{@code
 * try (Vm vm = Vm.builder().memory(64 << 20).boot();
 *     Vmspace parent = vm.newVmspace();
 *     Cpu cpu = vm.newCpu()) {
 *   long address = parent.map(1 << 20, Protection.READ_WRITE);
 *   cpu.attach(parent);
 *   cpu.set(ValueLayout.JAVA_LONG, address, 42);
 *   try (Vmspace child = parent.fork()) {
 *     cpu.set(ValueLayout.JAVA_LONG, address, 43);
 *     cpu.attach(child);
 *     System.out.println(cpu.get(ValueLayout.JAVA_LONG, address)); // 42
 *   }
 * }
 * }</pre>
 *
 * <p>A {@code Vm} and its vmspaces may be used by any thread, a {@code Cpu} by one at a time.
 */
package org.juvm;
