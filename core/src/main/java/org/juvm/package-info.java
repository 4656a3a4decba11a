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
 * <p>What can be done with an address space:
 *
 * <table>
 *   <caption>Where to find what</caption>
 *   <tr><td>map, unmap, protect, move, double, make immutable</td>
 *       <td>{@link org.juvm.AddressMap}, {@link org.juvm.MapRequest}</td></tr>
 *   <tr><td>fork, share, exec, limits, submaps</td><td>{@link org.juvm.Vmspace}</td></tr>
 *   <tr><td>wiring, advice, what is in memory</td><td>{@link org.juvm.Paging}</td></tr>
 *   <tr><td>memory shared by name</td><td>{@link org.juvm.SharedMemories}</td></tr>
 *   <tr><td>files</td>
 *       <td>{@link org.juvm.MappedFiles}, {@link org.juvm.MappedFile}</td></tr>
 *   <tr><td>loads, stores, bulk operations, windows</td>
 *       <td>{@link org.juvm.Cpu}, {@link org.juvm.Bulk}</td></tr>
 *   <tr><td>reading and writing past the protection</td>
 *       <td>{@link org.juvm.DebugAccess}</td></tr>
 *   <tr><td>the same with the calls and errors of POSIX</td><td>{@code org.juvm.posix}</td></tr>
 * </table>
 *
 * <p>A {@code Vm} and its vmspaces may be used by any thread, a {@code Cpu} by one at a time.
 */
package org.juvm;
