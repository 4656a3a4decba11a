package org.juvm.object;

import org.jspecify.annotations.Nullable;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;

/**
 * One page that the system itself writes and that programs may map. There is one of it: it is made
 * with its object, is never copied, and stays in its frame until the object ends. No page daemon
 * knows it.
 *
 * <p>Source: the mappings of type {@code UKSMAP} of {@code vm_map.c}, whose pages are the kernel's.
 */
public final class KernelPage extends FixedObject {
  private final long address;

  /** Takes a frame over that belongs to nobody. */
  private KernelPage(ObjectSupport support, int frame) {
    super(support, support.ram().pageSize().bytes());
    address = support.ram().address(frame);
    lock();
    try {
      put(0, frame);
      support.allocator().policy().dequeue(frame);
    } finally {
      unlock();
    }
  }

  /**
   * Makes an object with one reference, whose page is zeros. May wait for memory; called without
   * locks.
   *
   * @param support what it works with
   * @return the object, or null if there is no memory
   */
  public static @Nullable KernelPage create(ObjectSupport support) {
    FrameAllocator allocator = support.allocator();
    int frame;
    do {
      frame = allocator.allocate(0, true, FrameAllocator.Reserve.NONE);
    } while (frame == FrameTable.NONE && allocator.reclaimer().await(FrameAllocator.Reserve.NONE));
    return frame == FrameTable.NONE ? null : new KernelPage(support, frame);
  }

  /**
   * Where the bytes of the page are.
   *
   * @return absolute native address, the page's own until the object ends
   */
  public long address() {
    return address;
  }
}
