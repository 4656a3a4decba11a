package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Protection;

/** Where mappings go. */
class PlacementTest {
  private static final long LOWEST = 1 << 16;
  private static final long AT = 1 << 20;
  private static final long END = 1L << 47;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  /** The first place at or above an address, by looking at every hole; or -1. */
  private static long search(List<Mapping> mappings, long from, long length, long alignment) {
    long hole = LOWEST;
    for (int i = 0; i <= mappings.size(); i++) {
      long end = i == mappings.size() ? END : mappings.get(i).start();
      long place = Math.ceilDiv(Math.max(hole, from), alignment) * alignment;
      if (place <= end - length) {
        return place;
      }
      hole = i == mappings.size() ? END : mappings.get(i).end();
    }
    return -1;
  }

  @Test
  void M5_anyMultipleOfThePageSizeIsAnAlignment() {
    Vmspace space = vms.boot(64).newVmspace();
    for (int pages : new int[] {1, 2, 3, 5, 7, 12, 512, 1000}) {
      long alignment = (long) pages * PAGE;
      space.map(PAGE, Protection.READ);
      List<Mapping> before = space.mappings();
      long at = space.map(MapRequest.anonymous(2 * PAGE).alignment(alignment));
      assertThat(at % alignment).isZero();
      assertThat(at).isEqualTo(search(before, 0, 2 * PAGE, alignment));
    }
    for (long bad : new long[] {0, -PAGE, 2, PAGE + 1, Long.MIN_VALUE}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> space.map(MapRequest.anonymous(PAGE).alignment(bad)));
    }
    assertRefused(
        MapException.Reason.NO_SPACE,
        () -> space.map(MapRequest.anonymous(PAGE).alignment(3L << 60)));
  }

  @Test
  void M5_randomHolesAgainstAPlainSearch() {
    long seed = Long.getLong("juvm.test.seed", 20);
    Random random = new Random(seed);
    Vmspace space = vms.boot(64).newVmspace();
    int[] alignments = {1, 2, 3, 5};
    for (int step = 0; step < 1500; step++) {
      List<Mapping> before = space.mappings();
      if (before.size() > 20 && random.nextInt(3) == 0) {
        Mapping victim = before.get(random.nextInt(before.size()));
        space.unmap(victim.start(), victim.length());
        continue;
      }
      long length = (1L + random.nextInt(9)) * PAGE;
      long alignment = (long) alignments[random.nextInt(4)] * PAGE;
      long hint = random.nextBoolean() ? 0 : LOWEST + random.nextInt(500) * (long) PAGE;
      long expected = search(before, hint, length, alignment);
      // Neighbours must not join, or there would be few holes.
      Protection protection = random.nextBoolean() ? Protection.READ : Protection.READ_WRITE;
      MapRequest request =
          MapRequest.anonymous(length).alignment(alignment).near(hint).protection(protection);
      assertThat(space.map(request)).as("step %d, seed %d", step, seed).isEqualTo(expected);
    }
  }

  @Test
  void M5_hundredThousandMappings() {
    Vmspace space = vms.boot(64).newVmspace();
    int count = 100_000;
    // Holes of one page everywhere, and of two pages or more in a few places.
    Random random = new Random(3);
    List<Long> wide = new ArrayList<>();
    long at = LOWEST;
    for (int i = 0; i < count; i++) {
      space.map(at, PAGE, Protection.READ);
      boolean isWide = random.nextInt(10_000) == 0;
      if (isWide) {
        wide.add(at + PAGE);
      }
      at += (isWide ? 3L : 2L) * PAGE;
    }
    long end = at - PAGE;
    assertThat(space.mappings()).hasSize(count);
    assertThat(wide).hasSizeGreaterThan(3);
    for (long hole : wide) {
      assertThat(space.map(2 * PAGE, Protection.READ_WRITE)).isEqualTo(hole);
    }
    assertThat(space.map(2 * PAGE, Protection.READ_WRITE)).isEqualTo(end);
    long middle = LOWEST + count * (long) PAGE;
    List<Mapping> before = space.mappings();
    for (int pages : new int[] {1, 3, 5}) {
      long alignment = (long) pages * PAGE;
      long expected = search(before, middle, PAGE, alignment);
      MapRequest request = MapRequest.anonymous(PAGE).near(middle).alignment(alignment);
      assertThat(space.map(request)).isEqualTo(expected);
      space.unmap(expected, PAGE);
    }
    space.unmap(0, END);
    assertThat(space.mappings()).isEmpty();
  }

  @Test
  void M5_searchStartsAtTheHintAndComesBack() {
    Vmspace space = vms.boot(64).newVmspace();
    assertThat(space.map(MapRequest.anonymous(PAGE).near(AT + 1))).isEqualTo(AT + PAGE);
    assertThat(space.map(MapRequest.anonymous(PAGE).near(AT + PAGE))).isEqualTo(AT + 2 * PAGE);
    assertThat(space.map(MapRequest.anonymous(PAGE).near(END - PAGE))).isEqualTo(END - PAGE);
    assertThat(space.map(MapRequest.anonymous(PAGE).near(END - PAGE))).isEqualTo(LOWEST);
    assertThat(space.map(MapRequest.anonymous(PAGE).near(Long.MAX_VALUE))).isEqualTo(LOWEST + PAGE);
    assertThat(space.map(MapRequest.anonymous(PAGE).near(-5))).isEqualTo(LOWEST + 2 * PAGE);
  }

  @Test
  void M5_theReserveOfAStackIsLeftAlone() {
    Vmspace space = vms.boot(64).newVmspace();
    long reserve = 1 << 20;
    long low = space.map(MapRequest.stack(reserve));
    assertThat(low).isEqualTo(LOWEST);
    assertThat(space.map(PAGE, Protection.READ)).isEqualTo(low + reserve);
    assertThat(space.map(MapRequest.anonymous(PAGE).near(low + 8 * PAGE)))
        .isEqualTo(low + reserve + PAGE);
    space.map(low + 8 * PAGE, PAGE, Protection.READ);
    assertThat(space.mappings().getFirst().start()).isEqualTo(low + 8 * PAGE);
    space.unmap(0, END);
    assertThat(space.map(PAGE, Protection.READ)).as("gone with the stack").isEqualTo(LOWEST);
  }

  @Test
  void M6_exclusiveTakesNothingThatIsMapped() {
    Program program = Program.in(vms.boot(64));
    Vmspace space = program.space;
    assertThat(space.map(MapRequest.anonymous(4 * PAGE).at(AT))).isEqualTo(AT);
    program.number(AT, 4);
    assertRefused(
        MapException.Reason.OCCUPIED,
        () -> space.map(MapRequest.anonymous(2 * PAGE).at(AT + 3 * PAGE)));
    assertThat(program.layout(AT)).containsExactly("0+4 rw-");
    assertRefused(
        MapException.Reason.NO_SPACE,
        () -> space.map(MapRequest.anonymous(PAGE).at(2 * AT + PAGE).alignment(2 * PAGE)));
    assertThat(program.get(AT + 3 * PAGE)).isEqualTo(4);
  }

  @Test
  void M6_replacingTakesTheMiddleAway() {
    Program program = Program.in(vms.boot(64));
    Vmspace space = program.space;
    space.map(AT, 4 * PAGE, Protection.READ_WRITE);
    program.number(AT, 4);
    MapRequest request = MapRequest.anonymous(2 * PAGE).protection(Protection.READ);
    assertThat(space.map(request.replacing(AT + PAGE))).isEqualTo(AT + PAGE);
    assertThat(program.layout(AT)).containsExactly("0+1 rw-", "1+2 r--", "3+1 rw-");
    assertThat(program.usedFrames()).isEqualTo(2);
    assertThat(program.get(AT)).isEqualTo(1);
    assertThat(program.get(AT + PAGE)).isZero();
    assertThat(program.get(AT + 2 * PAGE)).isZero();
    assertThat(program.get(AT + 3 * PAGE)).isEqualTo(4);
    // Over holes and mappings of several kinds.
    space.unmap(AT, PAGE);
    space.map(MapRequest.anonymous(8 * PAGE).replacing(AT - 2 * PAGE));
    assertThat(program.layout(AT)).containsExactly("-2+8 rw-");
    assertThat(program.get(AT + 3 * PAGE)).isZero();
  }

  @Test
  void M22_sameSeedSamePlaces() {
    Vm vm = vms.boot(64);
    List<List<Long>> all = new ArrayList<>();
    for (long seed : new long[] {1, 1, 2}) {
      Vmspace space = vm.newVmspace();
      space.randomizePlacement(seed);
      List<Long> places = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        places.add(space.map(PAGE, Protection.READ));
      }
      assertThat(places)
          .doesNotHaveDuplicates()
          .allMatch(at -> at >= LOWEST && at < LOWEST + (257L << 20) && at % PAGE == 0);
      all.add(places);
    }
    assertThat(all.get(1)).isEqualTo(all.get(0));
    assertThat(all.get(2)).isNotEqualTo(all.get(0));
  }

  @Test
  void M22_childrenDrawNumbersOfTheirOwn() {
    Vm vm = vms.boot(64);
    Vmspace parent = vm.newVmspace();
    parent.randomizePlacement(1);
    Vmspace first = parent.fork();
    Vmspace second = parent.fork();
    List<Long> places = new ArrayList<>();
    for (Vmspace space : List.of(parent, first, second)) {
      places.add(space.map(PAGE, Protection.READ));
    }
    assertThat(places).doesNotHaveDuplicates();
  }

  @Test
  void M22_hintsAndAddressesCountMoreThanChance() {
    Vmspace space = vms.boot(64).newVmspace();
    space.randomizePlacement(1);
    assertThat(space.map(MapRequest.anonymous(PAGE).near(AT))).isEqualTo(AT);
    space.map(2 * AT, PAGE, Protection.READ);
    assertThat(space.mappings()).hasSize(2);
    // What is mapped in the way of chance does not make the space smaller.
    space.map(3 * AT, END - 3 * AT, Protection.READ);
    assertThat(space.map(PAGE, Protection.READ)).isLessThan(3 * AT);
  }
}
