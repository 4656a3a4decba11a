package org.juvm.pmap;

import java.lang.invoke.VarHandle;
import org.juvm.ram.Host;
import org.juvm.trace.Counter;
import org.juvm.trace.Counters;

/**
 * Takes translations away from processors, so that afterwards no processor uses them.
 *
 * <p>The caller holds the pmap's lock and has already changed the page tables. Then:
 *
 * <ol>
 *   <li>The tags go, in the caches of all attached processors. A processor that fills its cache
 *       meanwhile looks at the page table again after a full fence, finds the change and removes
 *       its own tag.
 *   <li>Every running thread is fenced. A thread that passed the fence before it looked at its tag
 *       finds the tag gone; one that looked before has published its announcement.
 *   <li>Announced stores and walks in the range are waited for. They are a few instructions long.
 * </ol>
 *
 * <p>Loads need only the first step, since they validate themselves after the fact. The processor
 * of the calling thread needs no fence: its own accesses are in program order with this call. So a
 * vmspace that is used by one thread only never fences, and rights to read are taken away without a
 * fence always.
 *
 * <p>The argument is worked out in {@code docs/access-protocol.md}.
 */
final class Shootdown {
  private static final int SPINS_BEFORE_YIELD = 1000;

  private Shootdown() {}

  /**
   * Revokes translations of the pages from startVpn to endVpn.
   *
   * @param tlbs the caches of all processors that are attached to the pmap
   * @param storesOnly true if loads may go on
   * @param stores true if stores may have been allowed, or page tables have been taken out of the
   *     tree: then running processors are waited for
   * @param counters where to count, any thread
   */
  static void revoke(
      Tlb[] tlbs,
      long startVpn,
      long endVpn,
      boolean storesOnly,
      boolean stores,
      Counters counters) {
    for (Tlb tlb : tlbs) {
      tlb.invalidate(startVpn, endVpn, storesOnly);
    }
    settle(tlbs, startVpn, endVpn, stores, counters);
  }

  /**
   * Revokes all translations of some pages, which may be far apart.
   *
   * @param tlbs the caches of all processors that are attached to the pmap
   * @param pages mappings of the pmap, sorted by page
   * @param start the first of them
   * @param end the one after the last
   * @param stores as for {@link #revoke}
   * @param counters where to count, any thread
   */
  static void revokePages(
      Tlb[] tlbs, Pmaps.Scratch pages, int start, int end, boolean stores, Counters counters) {
    for (Tlb tlb : tlbs) {
      for (int i = start; i < end; i++) {
        long vpn = ReverseMap.vpn(pages.mapping(i));
        tlb.invalidate(vpn, vpn + 1, false);
      }
    }
    long first = ReverseMap.vpn(pages.mapping(start));
    long last = ReverseMap.vpn(pages.mapping(end - 1));
    settle(tlbs, first, last + 1, stores, counters);
  }

  /** The tags are gone: fences the processors and waits for them. */
  private static void settle(
      Tlb[] tlbs, long startVpn, long endVpn, boolean stores, Counters counters) {
    Thread self = Thread.currentThread();
    boolean others = false;
    for (Tlb tlb : tlbs) {
      others |= !self.equals(tlb.owner());
    }
    if (!others) {
      return;
    }
    counters.add(Counter.SHOOTDOWNS, 1);
    if (!stores) {
      // Orders the removal of the tags before whatever the caller stores next.
      VarHandle.fullFence();
      return;
    }
    counters.add(Counter.HEAVY_FENCES, 1);
    Host.fenceAllThreads();
    for (Tlb tlb : tlbs) {
      if (!self.equals(tlb.owner())) {
        awaitAnnounced(tlb, startVpn, endVpn);
      }
    }
  }

  /** Waits without a bound, but only for a thread that is inside a handful of instructions. */
  @SuppressWarnings("ThreadPriorityCheck") // that thread may need this processor to go on
  private static void awaitAnnounced(Tlb tlb, long startVpn, long endVpn) {
    int spins = 0;
    while (tlb.isAnnounced(startVpn, endVpn)) {
      if (++spins < SPINS_BEFORE_YIELD) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }
}
