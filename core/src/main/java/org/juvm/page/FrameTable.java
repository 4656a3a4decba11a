package org.juvm.page;

import org.juvm.base.VmPanic;
import org.juvm.ram.IntTable;
import org.juvm.ram.Ram;

/**
 * The descriptors of all frames.
 *
 * <pre>
 * owner  32 bits  number of the anon that the frame belongs to; 0 is nobody.   Guard: the anon's lock
 * state  32 bits  | 31 free | 30 zeroed | 29 released | 28..0 wirings |        Guard: atomic updates
 * </pre>
 *
 * {@code zeroed}: the frame is free and known to hold zeros. See the package for the transitions.
 */
public final class FrameTable {
  /** No frame. */
  public static final int NONE = -1;

  private static final int FREE = 1 << 31;
  private static final int ZEROED = 1 << 30;
  private static final int RELEASED = 1 << 29;
  private static final int WIRINGS = RELEASED - 1;

  private final int frames;
  private final IntTable owner;
  private final IntTable state;

  /**
   * Descriptors of frames that are all free and zero.
   *
   * @param ram the frames
   */
  public FrameTable(Ram ram) {
    frames = ram.frames();
    owner = new IntTable(frames, ram.isLarge());
    state = new IntTable(frames, ram.isLarge());
  }

  /**
   * The number of frames.
   *
   * @return frames
   */
  public int frames() {
    return frames;
  }

  /**
   * The anon that a frame belongs to. Guarded by that anon's lock.
   *
   * @param frame frame number
   * @return anon number, or 0
   */
  public int owner(int frame) {
    return owner.get(frame);
  }

  /**
   * Gives an allocated frame to an anon. Guarded by that anon's lock.
   *
   * @param frame frame number
   * @param anon anon number, or 0
   */
  public void setOwner(int frame, int anon) {
    owner.set(frame, anon);
  }

  /** Marks a frame that was on a free list as allocated. Says whether it holds zeros. */
  boolean take(int frame) {
    int old = state.get(frame);
    assert (old & FREE) != 0 : frame;
    state.set(frame, 0);
    return (old & ZEROED) != 0;
  }

  /** Marks a frame that was never used as free, when it moves to a processor's cache. */
  void markFreeZeroed(int frame) {
    state.set(frame, FREE | ZEROED);
  }

  /**
   * The owner gives the frame up.
   *
   * @return true if it is free now; false if it is wired and will be free at the last unwiring
   */
  boolean release(int frame) {
    owner.set(frame, 0);
    while (true) {
      int old = state.getVolatile(frame);
      if ((old & (FREE | RELEASED)) != 0) {
        throw new VmPanic("frame freed twice: frame=" + frame);
      }
      if (old == 0) {
        if (state.compareAndSet(frame, 0, FREE)) {
          return true;
        }
      } else if (state.compareAndSet(frame, old, old | RELEASED)) {
        return false;
      }
    }
  }

  /**
   * Wires an allocated frame: it stays allocated, with its bytes, until it is unwired. The owner's
   * lock must be held, so that the frame is not being freed.
   *
   * @param frame frame number
   */
  public void wire(int frame) {
    int old;
    do {
      old = state.getVolatile(frame);
      assert (old & (FREE | RELEASED)) == 0 : frame;
    } while (!state.compareAndSet(frame, old, old + 1));
  }

  /**
   * Takes one wiring back.
   *
   * @param frame frame number
   * @return true if the frame was released meanwhile and is free now
   */
  boolean unwire(int frame) {
    while (true) {
      int old = state.getVolatile(frame);
      if ((old & WIRINGS) == 0) {
        throw new VmPanic("frame is not wired: frame=" + frame);
      }
      boolean last = old == (RELEASED | 1);
      if (state.compareAndSet(frame, old, last ? FREE : old - 1)) {
        return last;
      }
    }
  }

  /**
   * How often a frame is wired.
   *
   * @param frame frame number
   * @return wirings
   */
  public int wirings(int frame) {
    return state.getVolatile(frame) & WIRINGS;
  }

  /**
   * Whether a frame is in a processor's cache or on the free list. A frame that was never used has
   * no such mark; see {@link FrameAllocator#isFree}.
   *
   * @param frame frame number
   * @return true if it is marked free
   */
  boolean isMarkedFree(int frame) {
    return (state.getVolatile(frame) & FREE) != 0;
  }

  /**
   * Whether a frame's owner has given it up while it is wired.
   *
   * @param frame frame number
   * @return true if it is free at the last unwiring
   */
  public boolean isReleased(int frame) {
    return (state.getVolatile(frame) & RELEASED) != 0;
  }
}
