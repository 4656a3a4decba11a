package org.juvm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.juvm.kernel.PagerMap;
import org.juvm.pageout.SwapOff;
import org.juvm.store.FileStore;
import org.juvm.store.Store;
import org.juvm.swap.SwapArea;

/**
 * Where the anonymous pages of one system go when memory is short: any number of devices, which can
 * be added and removed while the system runs. Thread-safe.
 *
 * <p>Source: {@code swapctl(2)}; {@code uvm_swap.c}.
 */
public final class Swap {
  private final Vm vm;

  /** Held while a device is removed: one at a time. */
  private final Semaphore removing = new Semaphore(1);

  Swap(Vm vm) {
    this.vm = vm;
  }

  Vm vm() {
    return vm;
  }

  /**
   * Adds a file in the directory for temporary files, which takes space only as far as it is used,
   * and is gone with the device.
   *
   * @param bytes how much may be used; rounded down to whole pages
   * @param priority devices with lower numbers are used first, those with equal ones in turns
   * @param encrypted whether what is written is encrypted
   * @return the device
   * @throws UncheckedIOException if the file cannot be made
   * @throws IllegalArgumentException if the size is less than a page
   * @throws IllegalStateException if the system is closed, or there would be too many pages of swap
   */
  public SwapDevice addTemporary(long bytes, int priority, boolean encrypted) {
    long pages = vm.machine().pageSize().truncate(bytes);
    if (pages <= 0) {
      throw new IllegalArgumentException("less than a page of swap: bytes=" + bytes);
    }
    try {
      Store store = FileStore.temporary(Path.of(System.getProperty("java.io.tmpdir", "")));
      try {
        return add("temporary", store, pages, priority, encrypted);
      } catch (RuntimeException e) {
        store.close();
        throw e;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("no temporary file for swap: " + e.getMessage(), e);
    }
  }

  /**
   * Adds a file. It is made if it does not exist, and stays when the device is removed.
   *
   * @param file its path
   * @param bytes how much of it is used, a multiple of the page size
   * @param priority devices with lower numbers are used first, those with equal ones in turns
   * @param encrypted whether what is written is encrypted, with a key that is made now and never
   *     stored
   * @return the device
   * @throws IOException if the file cannot be opened
   * @throws IllegalArgumentException if the size is not a multiple of the page size, at least one,
   *     or the file is in use already
   * @throws IllegalStateException if the system is closed
   */
  public SwapDevice addFile(Path file, long bytes, int priority, boolean encrypted)
      throws IOException {
    FileStore store = Files.exists(file) ? FileStore.openReadWrite(file) : FileStore.create(file);
    try {
      Object key = store.key();
      for (SwapDevice device : devices()) {
        if (device.area().device() instanceof FileStore other && other.key().equals(key)) {
          throw new IllegalArgumentException("the file is a swap device already: file=" + file);
        }
      }
      return add(file.toString(), store, bytes, priority, encrypted);
    } catch (RuntimeException e) {
      store.close();
      throw e;
    }
  }

  /**
   * Adds a device.
   *
   * @param name for people
   * @param store where pages go; it belongs to the device from now on, and is closed when that is
   *     removed or the system is closed; unless this throws
   * @param bytes how much of it is used, a multiple of the page size
   * @param priority devices with lower numbers are used first, those with equal ones in turns
   * @param encrypted whether what is written is encrypted
   * @return the device
   * @throws IllegalArgumentException if the size is not a multiple of the page size, at least one,
   *     or the store is in use already
   * @throws MapException NO_MEMORY or NO_SPACE if there is none for the buffers that encryption
   *     needs
   * @throws IllegalStateException if the system is closed
   */
  public SwapDevice add(String name, Store store, long bytes, int priority, boolean encrypted) {
    vm.machine().swap().check(name, store, bytes);
    PagerMap buffers = null;
    if (encrypted) {
      buffers = vm.kernelSpace().pagerMap();
      MapException.check(buffers.make(), "add", KernelMap.KERNEL_ID, 0, bytes);
    }
    SwapArea area = vm.machine().swap().add(name, store, bytes, priority, buffers);
    vm.daemon().start();
    vm.kernelSpace().enableSwap();
    return new SwapDevice(this, area);
  }

  /**
   * Removes a device, when all that is there has been read back. Programs go on meanwhile. Pages
   * that cannot be read are lost to their owners, whose next access throws {@link MemoryFault}.
   *
   * @param device the device
   * @throws MapException NO_MEMORY if there is not enough memory and other swap for what is there;
   *     then it stays in use
   * @throws IllegalArgumentException if it is no device of this system any more
   * @throws IllegalStateException if the system is closed meanwhile
   */
  public void remove(SwapDevice device) {
    removing.acquireUninterruptibly();
    try {
      if (device.swap() != this || !vm.machine().swap().areas().contains(device.area())) {
        throw new IllegalArgumentException("no such swap device: " + device.name());
      }
      SwapArea area = device.area();
      // What is being written there is in use afterwards, and found.
      vm.daemon().whileQuiet(() -> vm.machine().swap().disable(area));
      SwapOff.Outcome outcome =
          new SwapOff(vm.machine(), area).run(vm::maps, vm.sharedMemory()::references);
      if (outcome == SwapOff.Outcome.EMPTY && vm.machine().swap().remove(area)) {
        return;
      }
      vm.machine().swap().enable(area);
      if (vm.isClosed()) {
        throw Vm.closedException();
      }
      throw new MapException(
          MapException.Reason.NO_MEMORY,
          "swap device cannot be emptied: device="
              + device.name()
              + ", pagesInUse="
              + device.pagesInUse());
    } finally {
      removing.release();
    }
  }

  /**
   * The devices in use.
   *
   * @return a snapshot, those that are used first come first
   */
  public List<SwapDevice> devices() {
    List<SwapDevice> devices = new ArrayList<>();
    vm.machine().swap().areas().forEach(area -> devices.add(new SwapDevice(this, area)));
    return devices;
  }

  /**
   * How much swap there is.
   *
   * @return pages, bad ones not counted
   */
  public long pages() {
    return vm.machine().swap().slots();
  }

  /**
   * How much of it is in use.
   *
   * @return pages
   */
  public long pagesInUse() {
    return vm.machine().swap().slotsInUse();
  }
}
