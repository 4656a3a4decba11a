/**
 * Processes with the memory calls of BSD: {@code mmap(2)} and its family, with their flags and
 * their errors.
 *
 * <p>{@link org.juvm.Vmspace} speaks of requests, reasons and enums, and refuses nonsense with
 * {@link java.lang.IllegalArgumentException}. Programs that were written for a kernel, and
 * emulators and compatibility layers that run such programs, have numbers instead: an address and a
 * length, which may be anything, flags, and an error number when it does not work. This package is
 * that face. A {@link org.juvm.posix.PosixProcess} has an address space, a heap whose end is moved
 * by brk, and descriptors of files and shared memory; its methods are the calls. {@link
 * org.juvm.posix.Mman} has the constants, with the values of NetBSD, and {@link
 * org.juvm.posix.PosixException} carries an {@link org.juvm.posix.Errno}.
 *
 * <pre>{@code
 * try (Vm vm = Vm.builder().boot();
 *     PosixProcess parent = PosixProcess.create(vm);
 *     Cpu cpu = vm.newCpu()) {
 *   int fd = parent.shmOpen("/queue", Mman.O_RDWR | Mman.O_CREAT);
 *   parent.ftruncate(fd, 1 << 20);
 *   int rights = Mman.PROT_READ | Mman.PROT_WRITE;
 *   long queue = parent.mmap(0, 1 << 20, rights, Mman.MAP_SHARED, fd, 0);
 *   try (PosixProcess child = parent.fork()) {
 *     cpu.attach(child.vmspace());
 *     cpu.set(ValueLayout.JAVA_LONG, queue, 42);
 *   }
 *   cpu.attach(parent.vmspace());
 *   System.out.println(cpu.get(ValueLayout.JAVA_LONG, queue)); // 42
 *   parent.munmap(queue + 1, 1 << 20); // PosixException: EINVAL
 * }
 * }</pre>
 *
 * <p>Where the systems differ, a call does what it does in NetBSD; what only FreeBSD, OpenBSD or
 * DragonFly have (MAP_EXCL, MAP_GUARD, mimmutable, some advice) follows theirs. Each method says
 * which errors it has and when. A program that was made for NetBSD gets the error that it would get
 * there, also where several are possible at once: arguments are checked in the same order.
 *
 * <p>Everything here stands on the public interface of {@link org.juvm} alone. A process can be
 * used together with it: {@link org.juvm.posix.PosixProcess#vmspace} is an address space like any
 * other.
 */
package org.juvm.posix;
