package org.juvm;

import java.lang.foreign.MemorySegment;
import org.juvm.object.DeviceObject;

/**
 * Native memory that the client owns, and that can be mapped: loads and stores of programs go to
 * the client's own bytes, and the client sees them at once. It takes nothing of the memory of the
 * system, never leaves memory and is never copied: every mapping of it is shared, with children
 * too, unless they inherit nothing. Thread-safe.
 *
 * <p>The arena of the segment must outlive this: {@link #close} is how the memory is taken back.
 *
 * <p>Obtained by {@link Vm#newDeviceMemory}. Source: {@code uvm_device.c}.
 */
public final class DeviceMemory extends Handle {
  private final DeviceObject device;
  private final MemorySegment segment;

  /** Takes over a reference to the object. */
  DeviceMemory(Handles handles, DeviceObject device, MemorySegment segment) {
    super(handles, device);
    this.device = device;
    this.segment = segment;
  }

  @Override
  boolean isReadOnly() {
    return segment.isReadOnly();
  }

  /**
   * The memory.
   *
   * @return what was given to {@link Vm#newDeviceMemory}
   */
  public MemorySegment segment() {
    return segment;
  }

  /**
   * Takes the memory back. Mappings stay, but every access through them throws {@link MemoryFault}
   * BEYOND_END. When this returns no thread has anything to do with the segment any more, and its
   * arena may be closed. Closing twice does nothing.
   *
   * @throws IllegalStateException if a page is wired, or in use by {@link Bulk#window}; then
   *     nothing has changed
   */
  @Override
  public void close() {
    if (!isOpen()) {
      return;
    }
    if (!device.takeBack()) {
      throw new IllegalStateException("device memory is wired");
    }
    vm().cpus().awaitAccesses();
    super.close();
  }

  @Override
  void end() {
    boolean _ = device.takeBack();
    vm().cpus().awaitAccesses();
    super.close();
  }
}
