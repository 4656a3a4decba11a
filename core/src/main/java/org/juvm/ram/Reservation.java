package org.juvm.ram;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;

/**
 * A range of native address space that holds zeros until it is written. Memory is committed by the
 * host at the first touch and given back by {@link #discard}; the address range itself goes back
 * when the reservation is unreachable. So whoever keeps an address inside keeps the reservation.
 */
public final class Reservation {
  private static final Cleaner CLEANER = Cleaner.create();

  private final long address;
  private final long bytes;

  Reservation(long address, long bytes, Runnable release) {
    this.address = address;
    this.bytes = bytes;
    CLEANER.register(this, release);
  }

  /**
   * Reserves address space.
   *
   * @param bytes at least so much; rounded up to a multiple of 64 KiB
   * @param hugePages whether to ask the host for large pages: faster where much of it will be used,
   *     a waste where little will
   * @return the reservation
   */
  public static Reservation of(long bytes, boolean hugePages) {
    Reservation reservation = Host.reserve((bytes + 0xffff) & ~0xffffL);
    if (hugePages) {
      Host.adviseHugePages(reservation.address, reservation.bytes);
    }
    return reservation;
  }

  /**
   * The first address.
   *
   * @return an absolute address, aligned to the host's page
   */
  public long address() {
    return address;
  }

  /**
   * The range as a segment that keeps the reservation reachable.
   *
   * @param length bytes from the first address, not more than the reservation has
   * @return the segment, which any thread can use
   */
  // The range is valid as long as this object is reachable; the fence marks nothing but that.
  @SuppressWarnings({"restricted", "ReachabilityFenceUsage"})
  MemorySegment segment(long length) {
    return MemorySegment.ofAddress(address)
        .reinterpret(length, Arena.ofAuto(), _ -> Reference.reachabilityFence(this));
  }

  /** Gives all memory back to the host; the bytes are zeros again. */
  public void discard() {
    Host.discard(address, bytes);
  }
}
