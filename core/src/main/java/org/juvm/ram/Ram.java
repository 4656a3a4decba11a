package org.juvm.ram;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.concurrent.atomic.AtomicInteger;
import org.juvm.base.PageSize;

/**
 * Physical memory: a fixed number of frames, each one page long, numbered from zero. The host
 * commits a frame when it is first touched. Frames know nothing of their use; see package {@code
 * page}.
 */
public final class Ram {
  /** From this size on large host pages are asked for: below it they would waste memory. */
  private static final long HUGE_PAGES_FROM_BYTES = 128L << 20;

  private static final long ZEROS_BYTES = 1 << 20;

  /** Keeps the addresses valid. */
  private final Reservation reservation;

  private final long base;
  private final int frames;
  private final PageSize pageSize;
  private final MemorySegment segment;

  private final DeviceFrames devices;

  private final AtomicInteger users = new AtomicInteger(1);

  /** Zeros that are never written, so that the host commits next to nothing for them. */
  private final Reservation zeros;

  /**
   * Reserves the frames.
   *
   * @param frames how many
   * @param pageSize the size of each
   */
  public Ram(int frames, PageSize pageSize) {
    this.frames = frames;
    this.pageSize = pageSize;
    long bytes = pageSize.address(frames);
    reservation = Reservation.of(bytes, isLarge());
    base = reservation.address();
    segment = reservation.segment(bytes);
    devices = new DeviceFrames(frames, pageSize);
    zeros = Reservation.of(ZEROS_BYTES, false);
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
   * Whether there is so much memory that it and its bookkeeping should use large host pages.
   *
   * @return true from 128 MiB on
   */
  public boolean isLarge() {
    return pageSize.address(frames) >= HUGE_PAGES_FROM_BYTES;
  }

  /**
   * The size of a frame.
   *
   * @return the page size
   */
  public PageSize pageSize() {
    return pageSize;
  }

  /**
   * Where a frame's bytes are.
   *
   * @param frame frame number
   * @return absolute native address
   */
  public long address(int frame) {
    assert frame >= 0 && frame < numbers() : frame;
    return frame < frames ? base + ((long) frame << pageSize.shift()) : devices.address(frame);
  }

  /**
   * The frame that contains a byte.
   *
   * @param address absolute native address, anything
   * @return frame number, or -1 if it is in none of this memory
   */
  public int frameOf(long address) {
    long offset = address - base;
    return offset >= 0 && offset < pageSize.address(frames) ? (int) pageSize.vpn(offset) : -1;
  }

  /**
   * A bound of all frame numbers, those of devices included.
   *
   * @return greater than every frame number
   */
  public int numbers() {
    return frames + DeviceFrames.MAXIMUM;
  }

  /**
   * Frames that are clients' memory.
   *
   * @return those of this system
   */
  public DeviceFrames devices() {
    return devices;
  }

  /**
   * All frames as one segment, for transfers. The address range stays valid as long as anybody has
   * the segment.
   *
   * @return the segment; a frame's offset in it is its number times the page size
   */
  public MemorySegment segment() {
    return segment;
  }

  /**
   * Successive frames as a segment of its own.
   *
   * @param frame the first frame
   * @param count how many
   * @param arena bounds the segment's life; as long as it is alive, the address range stays valid
   * @return a segment that can only be read
   */
  public MemorySegment frames(int frame, int count, Arena arena) {
    return readOnly(address(frame), pageSize.address(count), arena);
  }

  /**
   * Zeros, as many pages as there are at most in one piece.
   *
   * @param pages how many are wanted
   * @param arena bounds the segment's life
   * @return a segment of at least one page and at most so many, which can only be read
   */
  public MemorySegment zeros(long pages, Arena arena) {
    long bytes = Math.min(pageSize.address(pages), ZEROS_BYTES);
    return readOnly(zeros.address(), bytes, arena);
  }

  @SuppressWarnings({"restricted", "ReachabilityFenceUsage"})
  private MemorySegment readOnly(long at, long bytes, Arena arena) {
    return MemorySegment.ofAddress(at)
        .reinterpret(bytes, arena, _ -> Reference.reachabilityFence(this))
        .asReadOnly();
  }

  /**
   * Fills a frame with zeros.
   *
   * @param frame frame number
   */
  public void zero(int frame) {
    Native.zero(address(frame), pageSize.bytes());
  }

  /**
   * Copies one frame to another.
   *
   * @param from frame number
   * @param to frame number
   */
  public void copy(int from, int to) {
    Native.copy(address(from), address(to), pageSize.bytes());
  }

  /**
   * Copies a frame to an array.
   *
   * @param frame frame number
   * @param bytes receives a page
   */
  public void copyOut(int frame, byte[] bytes) {
    MemorySegment.copy(Native.ALL, address(frame), MemorySegment.ofArray(bytes), 0, bytes.length);
  }

  /**
   * Copies an array to a frame.
   *
   * @param bytes a page
   * @param frame frame number
   */
  public void copyIn(byte[] bytes, int frame) {
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, Native.ALL, address(frame), bytes.length);
  }

  // ---- the end ----

  /**
   * Keeps the bytes of all frames until {@link #drop} is called once more.
   *
   * @return false if they are gone
   */
  public boolean use() {
    int now;
    do {
      now = users.get();
      if (now == 0) {
        return false;
      }
    } while (!users.compareAndSet(now, now + 1));
    return true;
  }

  /**
   * Ends a use: that of whoever made this, or one by {@link #use}. With the last one all memory
   * goes back to the host, and the frames read as zeros.
   */
  public void drop() {
    if (users.decrementAndGet() == 0) {
      reservation.discard();
    }
  }
}
