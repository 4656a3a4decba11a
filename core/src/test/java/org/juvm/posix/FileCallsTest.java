package org.juvm.posix;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.posix.PosixAssertions.AT;
import static org.juvm.posix.PosixAssertions.PAGE;
import static org.juvm.posix.PosixAssertions.RW;
import static org.juvm.posix.PosixAssertions.assertErrno;
import static org.juvm.posix.PosixAssertions.assertFault;
import static org.juvm.posix.PosixAssertions.page;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.juvm.Cpu;
import org.juvm.MemoryFault;
import org.juvm.Vm;

/** Files by descriptors, and their mappings. */
class FileCallsTest {
  private static final int SHARED = Mman.MAP_SHARED | Mman.MAP_FIXED;
  private static final int PRIVATE = Mman.MAP_PRIVATE | Mman.MAP_FIXED;

  @RegisterExtension final AuditedProcesses vms = new AuditedProcesses();

  @TempDir Path directory;

  private Vm vm;
  private PosixProcess process;
  private Cpu cpu;

  @BeforeEach
  void setUp() {
    vm = vms.boot(256);
    process = PosixProcess.create(vm);
    cpu = vm.newCpu();
    cpu.attach(process.vmspace());
  }

  private String file(String name, int bytes) throws IOException {
    return Files.write(directory.resolve(name), new byte[bytes]).toString();
  }

  private byte inFile(String path, int position) throws IOException {
    return Files.readAllBytes(Path.of(path))[position];
  }

  private void store(long address, int value) {
    cpu.set(JAVA_BYTE, address, (byte) value);
  }

  @Test
  void X_filesAreSharedByDescriptorsAndMappings() throws IOException {
    String path = directory.resolve("new").toString();
    int fd = process.open(path, Mman.O_RDWR | Mman.O_CREAT | Mman.O_EXCL);
    assertThat(process.write(fd, "hello".getBytes(US_ASCII))).isEqualTo(5);
    process.ftruncate(fd, 3 * PAGE);
    assertThat(process.fstatSize(fd)).isEqualTo(3 * PAGE);
    process.mmap(AT, 3 * PAGE, RW, SHARED, fd, 0);
    assertThat(cpu.get(JAVA_BYTE, AT + 1)).isEqualTo((byte) 'e');
    store(AT + 1, 'a');
    byte[] five = new byte[5];
    assertThat(process.lseek(fd, 0, Mman.SEEK_SET)).isZero();
    assertThat(process.read(fd, five)).isEqualTo(5);
    assertThat(new String(five, US_ASCII)).isEqualTo("hallo");
    try (PosixProcess child = process.fork()) {
      assertThat(child.lseek(fd, 3, Mman.SEEK_CUR)).isEqualTo(8);
      assertThat(process.lseek(fd, 0, Mman.SEEK_CUR)).as("in common").isEqualTo(8);
      cpu.attach(child.vmspace());
      store(page(1), 9);
    }
    cpu.attach(process.vmspace());
    process.close(fd);
    assertThat(cpu.get(JAVA_BYTE, page(1))).isEqualTo((byte) 9);
    process.munmap(AT, 3 * PAGE);
    assertThat(inFile(path, PAGE)).isEqualTo((byte) 9);
    assertThat(inFile(path, 1)).isEqualTo((byte) 'a');
    assertThat(Files.size(Path.of(path))).isEqualTo(3 * PAGE);
  }

  @Test
  void X_openFails() throws IOException {
    String path = file("a", 10);
    String missing = directory.resolve("missing").toString();
    assertErrno(Errno.ENOENT, () -> process.open(missing, Mman.O_RDWR));
    assertErrno(Errno.ENOENT, () -> process.open(missing, Mman.O_RDONLY));
    assertErrno(Errno.ENOENT, () -> process.open("", Mman.O_RDONLY));
    assertErrno(Errno.ENOTDIR, () -> process.open(path + "/b", Mman.O_RDONLY));
    assertErrno(Errno.EEXIST, () -> process.open(path, Mman.O_RDWR | Mman.O_CREAT | Mman.O_EXCL));
    assertErrno(Errno.EEXIST, () -> process.open(path, Mman.O_RDONLY | Mman.O_CREAT | Mman.O_EXCL));
    assertErrno(Errno.EINVAL, () -> process.open(path, Mman.O_RDWR | Mman.O_WRONLY));
    assertErrno(Errno.EINVAL, () -> process.open(path, 1 << 20));
    assertErrno(Errno.EFAULT, () -> process.open(null, Mman.O_RDONLY));
    assertErrno(Errno.ENAMETOOLONG, () -> process.open("x".repeat(2000), Mman.O_RDONLY));
    assertErrno(Errno.ENAMETOOLONG, () -> process.open("/tmp/" + "x".repeat(256), Mman.O_RDONLY));
    assertErrno(Errno.EINVAL, () -> process.open("a\0b", Mman.O_RDONLY));
    assertErrno(Errno.EISDIR, () -> process.open(directory.toString(), Mman.O_RDWR));
    int created = process.open(missing, Mman.O_RDONLY | Mman.O_CREAT);
    assertThat(created).as("nothing else is open").isZero();
    assertThat(Path.of(missing)).isEmptyFile();
    int truncated = process.open(path, Mman.O_WRONLY | Mman.O_TRUNC);
    assertThat(process.fstatSize(truncated)).isZero();
  }

  @Test
  void X_callsByDescriptorsFail() throws IOException {
    String path = file("a", 10);
    int reads = process.open(path, Mman.O_RDONLY);
    int writes = process.open(path, Mman.O_WRONLY);
    int memory = process.shmOpen("m", Mman.O_RDWR | Mman.O_CREAT);
    byte[] one = new byte[1];
    assertErrno(Errno.EBADF, () -> process.read(writes, one));
    assertErrno(Errno.EBADF, () -> process.write(reads, one));
    assertErrno(Errno.EBADF, () -> process.read(77, one));
    assertErrno(Errno.EBADF, () -> process.write(-1, one));
    assertErrno(Errno.EBADF, () -> process.lseek(77, 0, Mman.SEEK_SET));
    assertErrno(Errno.EBADF, () -> process.fsync(77));
    assertErrno(Errno.EBADF, () -> process.close(77));
    assertErrno(Errno.EINVAL, () -> process.ftruncate(reads, 0));
    assertErrno(Errno.EINVAL, () -> process.ftruncate(writes, -1));
    assertErrno(Errno.EFBIG, () -> process.ftruncate(writes, Long.MAX_VALUE));
    assertErrno(Errno.EINVAL, () -> process.lseek(reads, -1, Mman.SEEK_SET));
    assertErrno(Errno.EINVAL, () -> process.lseek(reads, 0, 3));
    assertErrno(Errno.EOVERFLOW, () -> process.lseek(reads, Long.MAX_VALUE, Mman.SEEK_END));
    assertThat(process.lseek(reads, 5, Mman.SEEK_END)).isEqualTo(15);
    assertThat(process.read(reads, one)).isZero();
    assertThat(process.lseek(writes, Long.MAX_VALUE, Mman.SEEK_SET)).isEqualTo(Long.MAX_VALUE);
    assertErrno(Errno.EFBIG, () -> process.write(writes, one));
    assertErrno(Errno.EINVAL, () -> process.read(memory, one));
    assertErrno(Errno.EINVAL, () -> process.write(memory, one));
    assertErrno(Errno.EINVAL, () -> process.lseek(memory, 0, Mman.SEEK_SET));
    process.fsync(memory);
    process.fsync(reads);
    process.shmUnlink("m");
    assertThat(Files.size(Path.of(path))).isEqualTo(10);
  }

  @Test
  void X_mmapOfFilesFails() throws IOException {
    String path = file("a", PAGE);
    int reads = process.open(path, Mman.O_RDONLY);
    int writes = process.open(path, Mman.O_WRONLY);
    int both = process.open(path, Mman.O_RDWR);
    int folder = process.open(directory.toString(), Mman.O_RDONLY);
    assertErrno(Errno.EACCES, () -> process.mmap(0, PAGE, RW, Mman.MAP_SHARED, reads, 0));
    assertErrno(
        Errno.EACCES, () -> process.mmap(0, PAGE, Mman.PROT_READ, Mman.MAP_SHARED, writes, 0));
    assertErrno(
        Errno.EACCES, () -> process.mmap(0, PAGE, Mman.PROT_READ, Mman.MAP_PRIVATE, writes, 0));
    assertErrno(
        Errno.ENODEV, () -> process.mmap(0, PAGE, Mman.PROT_READ, Mman.MAP_PRIVATE, folder, 0));
    assertErrno(Errno.EBADF, () -> process.mmap(0, PAGE, RW, Mman.MAP_SHARED, 77, 0));
    assertErrno(Errno.EINVAL, () -> process.mmap(0, 0, RW, Mman.MAP_SHARED, both, 0));
    assertErrno(Errno.EINVAL, () -> process.mmap(0, PAGE, RW, Mman.MAP_SHARED, both, -PAGE));
    assertErrno(
        Errno.EINVAL, () -> process.mmap(0, PAGE, RW, Mman.MAP_SHARED | Mman.MAP_PRIVATE, both, 0));
    assertErrno(
        Errno.EOVERFLOW,
        () -> process.mmap(0, PAGE, RW, Mman.MAP_SHARED, both, Long.MAX_VALUE & -PAGE));
    assertErrno(
        Errno.EINVAL, () -> process.mmap(0, PAGE, RW, Mman.MAP_ANON | Mman.MAP_PRIVATE, both, 0));
    process.mmap(AT, PAGE, Mman.PROT_READ, SHARED, reads, 0);
    assertErrno(Errno.EACCES, () -> process.mprotect(AT, PAGE, RW));
    // A private mapping may be written, whatever the file may be; without a type it is private.
    process.mmap(AT, PAGE, RW, Mman.MAP_FIXED, reads, 0);
    store(AT, 5);
    process.munmap(AT, PAGE);
    assertThat(inFile(path, 0)).isZero();
  }

  @Test
  void X_beyondTheEndOfAFile() throws IOException {
    String path = file("a", PAGE + 10);
    int fd = process.open(path, Mman.O_RDWR);
    process.mmap(AT, 3 * PAGE, RW, SHARED, fd, 0);
    store(page(1) + 9, 1);
    store(page(1) + 10, 2);
    assertFault(MemoryFault.Reason.BEYOND_END, () -> cpu.get(JAVA_LONG, page(2)));
    assertErrno(Errno.ENOMEM, () -> process.mlock(page(2), PAGE));
    process.mmap(page(4), 3 * PAGE, Mman.PROT_READ, PRIVATE | Mman.MAP_NOFAULT, fd, 0);
    assertThat(cpu.get(JAVA_LONG, page(6))).isZero();
    process.msync(AT, 2 * PAGE, Mman.MS_SYNC);
    assertThat(Files.size(Path.of(path))).isEqualTo(PAGE + 10);
    assertThat(inFile(path, PAGE + 9)).isEqualTo((byte) 1);
    process.ftruncate(fd, 10);
    assertFault(MemoryFault.Reason.BEYOND_END, () -> cpu.get(JAVA_LONG, page(1)));
    process.ftruncate(fd, 3 * PAGE);
    assertThat(cpu.get(JAVA_BYTE, page(1) + 9)).isZero();
  }

  @Test
  void X_msyncOfFiles() throws IOException {
    String path = file("a", 4 * PAGE);
    int fd = process.open(path, Mman.O_RDWR);
    process.mmap(AT, 4 * PAGE, RW, SHARED, fd, 0);
    byte[] resident = new byte[4];
    store(AT, 1);
    process.msync(AT, PAGE, Mman.MS_SYNC);
    assertThat(inFile(path, 0)).isEqualTo((byte) 1);
    store(AT, 2);
    process.msync(AT, PAGE, Mman.MS_INVALIDATE);
    assertThat(inFile(path, 0)).as("implies MS_SYNC").isEqualTo((byte) 2);
    process.mincore(AT, 4 * PAGE, resident);
    assertThat(resident[0]).isZero();
    store(AT, 3);
    process.msync(AT, PAGE, Mman.MS_ASYNC | Mman.MS_INVALIDATE);
    assertThat(inFile(path, 0)).isEqualTo((byte) 3);
    store(AT, 4);
    process.msync(AT, 4 * PAGE, Mman.MS_ASYNC);
    store(page(3), 5);
    // Length 0: the whole mapping.
    process.msync(page(1), 0, Mman.MS_SYNC);
    assertThat(inFile(path, 0)).isEqualTo((byte) 4);
    assertThat(inFile(path, 3 * PAGE)).isEqualTo((byte) 5);
    process.mlock(AT, PAGE);
    assertErrno(Errno.EBUSY, () -> process.msync(AT, PAGE, Mman.MS_INVALIDATE));
    assertErrno(Errno.EINVAL, () -> process.msync(AT, PAGE, 0));
    assertErrno(Errno.EINVAL, () -> process.msync(AT, PAGE, Mman.MS_ASYNC | Mman.MS_SYNC));
    assertErrno(Errno.EFAULT, () -> process.msync(AT, 5 * PAGE, Mman.MS_ASYNC));
  }

  /** An offset inside a page gives an address inside a page. */
  @Test
  void X_offsetsInsidePages() throws IOException {
    String path = file("a", 2 * PAGE);
    int fd = process.open(path, Mman.O_RDWR);
    long address = process.mmap(0, 10, RW, Mman.MAP_SHARED, fd, PAGE + 100);
    store(address, 7);
    process.fsync(fd);
    assertThat(inFile(path, PAGE + 100)).isEqualTo((byte) 7);
  }
}
