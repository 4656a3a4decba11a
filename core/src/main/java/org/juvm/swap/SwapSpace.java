package org.juvm.swap;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.juvm.base.PageSize;
import org.juvm.base.VmPanic;
import org.juvm.store.EncryptedStore;
import org.juvm.store.PageIo;
import org.juvm.store.Store;
import org.juvm.store.TransferBuffers;
import org.juvm.sync.LockOrder;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * All swap areas of one system as one drum of slots, each of which holds a page. Slots are numbered
 * from 1; 0 is none.
 *
 * <p>Each area has a contiguous range of the drum. Slots are given out by the areas of the lowest
 * priority number that have any; areas of one priority take turns, run by run, so that clusters are
 * striped over them.
 *
 * <p>Thread-safe. Slots are given out, freed and marked under the lock of their area, of rank
 * {@code POOL}; areas come and go under a lock of the space, of the same rank, and the two are
 * never held together. Transfers hold no lock, and who calls for one holds none.
 *
 * <p>Source: {@code uvm_swap}.
 */
public final class SwapSpace implements AutoCloseable {
  private final PageIo io;
  private final PageSize pageSize;

  private final RankedLock lock = new RankedLock(LockRank.POOL);

  /** The areas as they are now: replaced with the lock held, read by anybody. */
  private volatile Areas areas = Areas.NONE;

  /** Whether there will be no more areas. Guarded by lock. */
  private boolean closed;

  /**
   * A space without areas.
   *
   * @param io moves pages between stores and the system's frames
   */
  public SwapSpace(PageIo io) {
    this.io = io;
    pageSize = io.pageSize();
  }

  /**
   * Adds an area; slots are given out from it at once.
   *
   * @param name for people
   * @param store where its pages go; from now on it belongs to the area, unless this throws
   * @param bytes how much of the store is used, from its start
   * @param priority areas with lower numbers are used first
   * @param buffers for encrypted pages on their way to the store: then pages are encrypted, with a
   *     key that nobody else has. Null: they are not
   * @return the area
   * @throws IllegalArgumentException if {@code bytes} is not a whole number of pages, at least one,
   *     or the store is an area already
   * @throws IllegalStateException if the space is closed, or the numbers of slots are used up
   */
  public SwapArea add(
      String name, Store store, long bytes, int priority, @Nullable TransferBuffers buffers) {
    checkSize(name, bytes);
    int slots = (int) pageSize.vpn(bytes);
    Store pages =
        buffers == null ? store : new EncryptedStore(store, pageSize.bytes(), slots, buffers);
    lock.lock();
    try {
      checkNew(name, store);
      List<SwapArea> used = new ArrayList<>(areas.used());
      List<SwapArea> byNumber = new ArrayList<>(areas.byNumber());
      long first = 1;
      int index = 0;
      // The first gap that is large enough.
      while (index < byNumber.size() && byNumber.get(index).firstSlot() - first < slots) {
        first = (long) byNumber.get(index).firstSlot() + byNumber.get(index).slots();
        index++;
      }
      if (first + slots - 1 >= Integer.MAX_VALUE) {
        throw new IllegalStateException(
            "the numbers of slots are used up: name=%s, slots=%d".formatted(name, slots));
      }
      SwapArea area = new SwapArea(name, store, pages, (int) first, slots, priority);
      byNumber.add(index, area);
      used.add(area);
      areas = new Areas(byNumber, used);
      return area;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Throws what {@link #add} would throw now, and does nothing else.
   *
   * @param name for people
   * @param store where its pages would go
   * @param bytes how much of the store would be used
   */
  public void check(String name, Store store, long bytes) {
    checkSize(name, bytes);
    lock.lock();
    try {
      checkNew(name, store);
    } finally {
      lock.unlock();
    }
  }

  private void checkSize(String name, long bytes) {
    if (bytes <= 0 || !pageSize.isAligned(bytes)) {
      throw new IllegalArgumentException(
          "a swap area is a whole number of pages: name=%s, bytes=%d, pageSize=%d"
              .formatted(name, bytes, pageSize.bytes()));
    }
    if (pageSize.vpn(bytes) >= Integer.MAX_VALUE) {
      throw new IllegalStateException(
          "more slots than there are numbers: name=%s, bytes=%d".formatted(name, bytes));
    }
  }

  /** Caller holds the lock. */
  private void checkNew(String name, Store store) {
    if (closed) {
      throw new IllegalStateException("the swap space is closed: name=" + name);
    }
    if (areas.used().stream().anyMatch(area -> area.device().equals(store))) {
      throw new IllegalArgumentException("this store is a swap area already: name=" + name);
    }
  }

  /**
   * Gives an area another priority; slots that are in use stay where they are.
   *
   * @param area the area
   * @param priority areas with lower numbers are used first
   */
  public void setPriority(SwapArea area, int priority) {
    lock.lock();
    try {
      area.setPriority(priority);
      areas = new Areas(areas.byNumber(), areas.used());
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes a run of consecutive slots of one area. The first priority that has a free slot gives it:
   * the area whose turn it is and that has a run as long as wanted; if none has, the area whose
   * turn it is and that has any gives its longest. The slots belong to the caller until they are
   * freed.
   *
   * @param wanted at most so many, 1 or more
   * @return first slot in the upper 32 bits, number of slots in the lower; 0 if none is free
   */
  public long allocate(int wanted) {
    assert wanted > 0 : wanted;
    return areas.allocate(wanted);
  }

  /**
   * Gives a slot back. A bad one stays out of use.
   *
   * @param slot one that the caller was given; no transfer is under way
   */
  public void free(int slot) {
    free(slot, 1);
  }

  /**
   * Gives consecutive slots of one area back. Bad ones stay out of use.
   *
   * @param first the first of them; the caller was given them, and no transfer is under way
   * @param count how many
   */
  public void free(int first, int count) {
    SwapArea area = area(first, count);
    area.map().free(area.indexOf(first), count);
  }

  /**
   * Takes a slot out of use for good, because its device failed. It does not count as in use any
   * more; its owner may still free it.
   *
   * @param slot any slot
   */
  public void markBad(int slot) {
    SwapArea area = area(slot, 1);
    area.map().markBad(area.indexOf(slot));
  }

  /**
   * Reads a page.
   *
   * @param slot where from
   * @param frame where to
   * @throws IOException if it cannot be read, or only in part, or the slot is bad; what the frame
   *     holds then is undefined
   */
  public void read(int slot, int frame) throws IOException {
    assert LockOrder.noneHeld();
    SwapArea area = area(slot, 1);
    try {
      checkReadable(area, slot, 1);
      long bytes = io.read(area.store(), position(area, slot), frame);
      checkComplete(area, slot, 1, bytes);
      area.countRead(bytes);
    } catch (IOException e) {
      area.countError();
      throw e;
    }
  }

  /**
   * Reads pages from consecutive slots of one area.
   *
   * @param first the first slot
   * @param frames where to
   * @param count how many
   * @throws IOException if they cannot be read, or not all, or a slot is bad; what the frames hold
   *     then is undefined
   */
  public void read(int first, int[] frames, int count) throws IOException {
    assert LockOrder.noneHeld();
    SwapArea area = area(first, count);
    try {
      checkReadable(area, first, count);
      long bytes = io.read(area.store(), position(area, first), frames, count);
      checkComplete(area, first, count, bytes);
      area.countRead(bytes);
    } catch (IOException e) {
      area.countError();
      throw e;
    }
  }

  /**
   * Writes pages to consecutive slots of one area, with as few operations as possible.
   *
   * @param first the first slot
   * @param frames where from; nobody changes them meanwhile
   * @param count how many
   * @throws IOException if not all could be written; what the slots hold then is undefined
   */
  public void write(int first, int[] frames, int count) throws IOException {
    assert LockOrder.noneHeld();
    SwapArea area = area(first, count);
    try {
      io.write(area.store(), position(area, first), frames, count);
      area.countWrite(pageSize.address(count));
    } catch (IOException e) {
      area.countError();
      throw e;
    }
  }

  private static void checkReadable(SwapArea area, int first, int count) throws IOException {
    if (area.map().hasBad(area.indexOf(first), count)) {
      throw new IOException(
          "a swap slot is bad: area=%s, first=%d, count=%d".formatted(area.name(), first, count));
    }
  }

  private void checkComplete(SwapArea area, int first, int count, long bytes) throws IOException {
    if (bytes < pageSize.address(count)) {
      throw new IOException(
          "swap ends too early: area=%s, first=%d, count=%d, read=%d bytes"
              .formatted(area.name(), first, count, bytes));
    }
  }

  /** Where a slot's page is in its store. */
  private long position(SwapArea area, int slot) {
    return pageSize.address(area.indexOf(slot));
  }

  /** The area that slots are in. */
  private SwapArea area(int first, int count) {
    SwapArea area = areas.find(first);
    if (area != null && count > 0 && area.contains(first + count - 1)) {
      return area;
    }
    throw new VmPanic("no such swap slots: first=%d, count=%d".formatted(first, count));
  }

  /**
   * Whether a slot is in an area.
   *
   * @param slot any slot, or 0
   * @param area the area
   * @return true if it is
   */
  public boolean isIn(int slot, SwapArea area) {
    return area.contains(slot);
  }

  /**
   * Gives out no more slots of an area. When this returns, no other thread gets one, and who got
   * one has it.
   *
   * @param area the area
   */
  public void disable(SwapArea area) {
    area.map().setOpen(false);
  }

  /**
   * Gives out slots of an area again; does nothing if it was removed.
   *
   * @param area the area
   */
  public void enable(SwapArea area) {
    area.map().setOpen(true);
  }

  /**
   * Removes an area and closes its store, if none of its good slots is in use.
   *
   * @param area the area; no transfer is under way
   * @return false if slots are in use, or it was removed before; then nothing has changed
   * @throws UncheckedIOException if the store could not be closed properly; the area is removed all
   *     the same
   */
  public boolean remove(SwapArea area) {
    if (!area.map().retire()) {
      return false;
    }
    lock.lock();
    try {
      List<SwapArea> byNumber = new ArrayList<>(areas.byNumber());
      // A bad slot may have an owner, who frees it later: then it must not be anybody else's.
      if (area.slotsBad() == 0) {
        byNumber.remove(area);
      }
      List<SwapArea> used = new ArrayList<>(areas.used());
      used.remove(area);
      areas = new Areas(byNumber, used);
    } finally {
      lock.unlock();
    }
    try {
      area.store().close();
    } catch (IOException e) {
      throw new UncheckedIOException("closing a swap area's store: area=" + area.name(), e);
    }
    return true;
  }

  /**
   * The areas, in the order in which they are used.
   *
   * @return a snapshot
   */
  public List<SwapArea> areas() {
    return areas.used();
  }

  /**
   * How large all areas are. Takes no lock.
   *
   * @return slots
   */
  public long slots() {
    long slots = 0;
    for (SwapArea area : areas.used()) {
      slots += area.slots();
    }
    return slots;
  }

  /**
   * How many slots hold pages. Takes no lock.
   *
   * @return slots, without bad ones
   */
  public long slotsInUse() {
    long slots = 0;
    for (SwapArea area : areas.used()) {
      slots += area.slotsInUse();
    }
    return slots;
  }

  /**
   * How many slots are bad. Takes no lock.
   *
   * @return slots that are not used any more
   */
  public long slotsBad() {
    long slots = 0;
    for (SwapArea area : areas.used()) {
      slots += area.slotsBad();
    }
    return slots;
  }

  /**
   * How many slots could be given out now. Takes no lock.
   *
   * @return free slots of the areas that are enabled
   */
  public long slotsFree() {
    long slots = 0;
    for (SwapArea area : areas.used()) {
      slots += area.map().available();
    }
    return slots;
  }

  /**
   * Whether no slot could be given out now. Takes no lock.
   *
   * @return true if there is none, also if there is no area
   */
  public boolean isFull() {
    return slotsFree() == 0;
  }

  /**
   * Closes the stores of all areas and forgets their keys. Slots can still be freed, but no more
   * are given out, and transfers fail. A second call does nothing.
   *
   * @throws UncheckedIOException if stores could not be closed properly; all are closed all the
   *     same
   */
  @Override
  public void close() {
    List<SwapArea> used;
    lock.lock();
    try {
      closed = true;
      used = areas.used();
      areas = new Areas(areas.byNumber(), List.of());
    } finally {
      lock.unlock();
    }
    UncheckedIOException failure = null;
    for (SwapArea area : used) {
      area.map().shut();
      try {
        area.store().close();
      } catch (IOException e) {
        if (failure == null) {
          failure = new UncheckedIOException("closing a swap area's store: " + area.name(), e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
