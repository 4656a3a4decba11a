package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.base.VirtualPte.ACCESSED;
import static org.juvm.base.VirtualPte.LARGE;
import static org.juvm.base.VirtualPte.MODIFIED;
import static org.juvm.base.VirtualPte.VALID;
import static org.juvm.base.VirtualPte.WRITABLE;

import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.juvm.MemoryFault.Reason;
import org.juvm.base.Protection;

/**
 * Memory full of random entries, in which every page is a table to some and data to others, against
 * an interpreter of such tables: the same outcome of each access, and the same memory afterwards,
 * with all marks.
 */
class VirtualPageTableOracleTest {
  private static final int PAGES = 48;
  private static final int STEPS = 4000 * Integer.getInteger("juvm.test.scale", 1);
  private static final int VIRTUAL_BITS = 46;

  private SplittableRandom random = new SplittableRandom(0);
  private int shift;

  /** Addresses that are accessed again and again, while what is behind them changes. */
  private long[] pages = {};

  /** How many loads had a page. */
  private int done;

  /** What the memory should hold. */
  private long[][] model = {};

  private int words() {
    return 1 << (shift - 3);
  }

  /** An entry that is good as a rule, and names a page of the memory. */
  private long entry() {
    if (random.nextInt(24) == 0) {
      return random.nextLong();
    }
    long bits = random.nextLong() & ((1 << 12) - 1) & ((1L << shift) - 1);
    bits &= ~(VALID | WRITABLE | LARGE);
    bits |= random.nextInt(32) == 0 ? 0 : VALID;
    bits |= random.nextInt(6) == 0 ? 0 : WRITABLE;
    bits |= random.nextInt(6) == 0 ? LARGE : 0;
    long ignored = random.nextInt(4) == 0 ? random.nextLong() << 52 : 0;
    return ignored | (long) random.nextInt(PAGES + 1) << shift | bits;
  }

  // ---- the interpreter ----

  private static final long NOT_MAPPED = -1;
  private static final long PROTECTION = -2;
  private static final long BEYOND_END = -3;

  /** The page behind an address, or what is wrong; marks the entries on the way. */
  private long walk(long root, long address, boolean store) {
    int bits = shift - 3;
    int levels = (47 - shift + bits - 1) / bits;
    long pte = root;
    for (int level = levels; ; level--) {
      if ((pte & VALID) == 0) {
        return NOT_MAPPED;
      }
      if (store && (pte & WRITABLE) == 0) {
        return PROTECTION;
      }
      long page = (pte & 0xf_ffff_ffff_ffffL) >>> shift;
      if (level == 0 || (pte & LARGE) != 0) {
        page += (address >>> shift) & ((1L << (level * bits)) - 1);
        return page < PAGES ? page : BEYOND_END;
      }
      if (page >= PAGES) {
        return BEYOND_END;
      }
      int index = (int) (address >>> (shift + (level - 1) * bits)) & (words() - 1);
      pte = model[(int) page][index];
      if ((pte & VALID) != 0 && (!store || (pte & WRITABLE) != 0)) {
        pte |= store ? ACCESSED | MODIFIED : ACCESSED;
        model[(int) page][index] = pte;
      }
    }
  }

  private static long outcome(Runnable access) {
    try {
      access.run();
      return 0;
    } catch (MemoryFault e) {
      return e.reason() == Reason.NOT_MAPPED
          ? NOT_MAPPED
          : e.reason() == Reason.PROTECTION ? PROTECTION : BEYOND_END;
    }
  }

  private void step(Guest guest, long root) {
    int word = random.nextInt(words());
    long address = pages[random.nextInt(pages.length)] + word * 8L;
    boolean store = random.nextBoolean();
    long value = random.nextInt(3) == 0 ? entry() : random.nextLong() & ~VALID;
    long page = walk(root, address, store);
    long[] got = new long[1];
    long expected = Math.min(page, 0);
    if (store) {
      assertThat(outcome(() -> guest.set(address, value))).isEqualTo(expected);
      if (page >= 0) {
        model[(int) page][word] = value;
      }
      return;
    }
    assertThat(outcome(() -> got[0] = guest.get(address))).isEqualTo(expected);
    if (page >= 0) {
      done++;
      assertThat(got[0]).isEqualTo(model[(int) page][word]);
    }
  }

  private void run(Guest guest, long hog, int hogPages) {
    model = new long[PAGES][words()];
    for (int page = 0; page < PAGES; page++) {
      for (int word = 0; word < words(); word++) {
        model[page][word] = entry();
        guest.setPhysical((long) page << shift | word * 8L, model[page][word]);
      }
    }
    pages = random.longs(32, 0, 1L << VIRTUAL_BITS).map(a -> a & -(1L << shift)).toArray();
    long root = entry();
    guest.setRoot(root);
    for (int i = 0; i < STEPS; i++) {
      if (i % 64 == 0) {
        root = random.nextInt(4) == 0 ? entry() : entry() | VALID | WRITABLE;
        guest.setRoot(root);
      } else {
        guest.invalidate(0, Guest.LENGTH);
      }
      step(guest, root);
      for (int j = 0; hogPages != 0 && j < 4; j++) {
        guest.program.set(hog + ((long) random.nextInt(hogPages) << shift), i);
      }
    }
    assertThat(done).isGreaterThan(STEPS / 40);
    for (int page = 0; page < PAGES; page++) {
      for (int word = 0; word < words(); word++) {
        long at = (long) page << shift | word * 8L;
        assertThat(guest.physical(at)).as("at 0x%x", at).isEqualTo(model[page][word]);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"10,128,0", "12,128,0", "14,128,0", "16,128,0", "10,40,96", "12,40,96", "13,40,96"})
  void M24_tablesMeanWhatAnInterpreterSays(int pageShift, int frames, int hogPages) {
    shift = pageShift;
    long seed = new SplittableRandom().nextLong();
    random = new SplittableRandom(seed);
    int bytes = 1 << shift;
    try (Vm vm =
        Vm.builder().memory((long) frames * bytes).pageSize(bytes).swap(512L * bytes).boot()) {
      Guest guest = Guest.boot(vm, PAGES);
      long hog = guest.program.space.map((hogPages + 1L) * bytes, Protection.READ_WRITE);
      run(guest, hog, hogPages);
      assertThat(vm.audit()).isEmpty();
      assertThat(vm.statistics().swapIns() > 0).isEqualTo(hogPages != 0);
    } catch (RuntimeException | Error e) {
      throw new AssertionError("seed " + seed, e);
    }
  }
}
