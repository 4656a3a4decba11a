package org.juvm.object;

import org.juvm.page.FrameTable;

/**
 * Memory that a client owns. Its pages are always there, in frames that no other page ever has;
 * they are never copied, and no page daemon knows them.
 *
 * <p>The client can take it back: then no page table maps any of it, and every access is beyond its
 * end.
 *
 * <p>Source: {@code uvm_device.c}; each method names its function. Taking it back is {@code
 * revoke(2)}.
 */
public final class DeviceObject extends FixedObject {
  private final int firstFrame;
  private final int frames;

  /**
   * An object with one reference. ({@code udv_attach})
   *
   * @param support what it works with
   * @param firstFrame a number of {@link org.juvm.ram.DeviceFrames}, which passes to the object
   * @param size bytes, whole pages
   */
  public DeviceObject(ObjectSupport support, int firstFrame, long size) {
    super(support, size);
    this.firstFrame = firstFrame;
    frames = (int) support.ram().pageSize().vpn(size);
  }

  /** Also of a page that was taken back, as long as it is mapped. */
  @Override
  public int find(long page) {
    assert isHeld();
    return page < frames ? firstFrame + (int) page : FrameTable.NONE;
  }

  /** The fault routine of devices: there is nothing to look for. ({@code udv_fault}) */
  @Override
  public void get(PageRequest request, long page) {
    assert isHeld();
    if (!contains(page)) {
      request.is(PageRequest.Status.BEYOND_END, FrameTable.NONE);
    } else if (!support.ram().devices().isAlive(firstFrame)) {
      request.is(PageRequest.Status.ERROR, FrameTable.NONE);
    } else {
      request.is(PageRequest.Status.RESIDENT, find(page));
    }
  }

  /**
   * Takes the memory back: when this returns, every access through a mapping fails. A load that has
   * begun may still be under way. Called without locks.
   *
   * @return false if a page is wired, or in use by raw address; then nothing has changed
   */
  public boolean takeBack() {
    lock();
    try {
      for (int i = 0; i < frames; i++) {
        if (support.frames().wirings(firstFrame + i) != 0) {
          return false;
        }
      }
      setSize(0);
      for (int i = 0; i < frames; i++) {
        support.pmaps().removeFrame(firstFrame + i);
      }
      return true;
    } finally {
      unlock();
    }
  }

  @Override
  void ended() {
    support.ram().devices().remove(firstFrame);
  }
}
