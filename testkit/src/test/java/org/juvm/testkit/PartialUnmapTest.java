package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.juvm.testkit.Ground.same;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;
import org.junit.jupiter.api.Test;
import org.juvm.Cpu;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/** Parts of large, sparse memory go here and there, on both sides of forks. */
class PartialUnmapTest {
  private static final long AT = 1 << 20;
  private static final int PAGES = 700;
  private static final int PAGE = 4096;

  @Test
  void bug7_partialUnmapOfMemorySharedByFork() {
    Choices choices = Choices.fresh();
    for (int round = 0; round < Choices.times(8); round++) {
      try (Ground ground = new Ground(PAGE, false);
          Cpu cpu = ground.vm().newCpu()) {
        new Run(ground, cpu, choices).run();
      } catch (Throwable e) {
        throw new AssertionError(choices.toString(), e);
      }
    }
  }

  private static final class Run {
    private final Ground ground;
    private final Cpu cpu;
    private final Choices choices;

    Run(Ground ground, Cpu cpu, Choices choices) {
      this.ground = ground;
      this.cpu = cpu;
      this.choices = choices;
    }

    void run() {
      Pair first = ground.pairs().getFirst();
      first.real().map(AT, (long) PAGES * PAGE, Protection.READ_WRITE);
      first.model().map(AT, (long) PAGES * PAGE, Protection.READ_WRITE);
      for (int step = 0; step < 200; step++) {
        List<Pair> pairs = ground.pairs();
        step(choices.pick(pairs));
        List<ModelSpace> models = pairs.stream().map(Pair::model).toList();
        same((long) ModelSpace.countFrames(models), ground.vm().statistics().usedFrames());
      }
      same(List.of(), ground.vm().audit());
      for (Pair pair : new ArrayList<>(ground.pairs())) {
        for (long page : pair.model().pages()) {
          touch(pair, page, false);
        }
        new SpaceCommands(ground).exit(pair);
        same(List.of(), ground.vm().audit());
      }
      same(0L, ground.vm().statistics().usedFrames());
    }

    private void step(Pair pair) {
      long from = choices.below(PAGES);
      long at = AT + from * PAGE;
      long length = Math.min(PAGES - from, 1L + choices.below(choices.oneIn(3) ? 400 : 20)) * PAGE;
      switch (choices.below(8)) {
        case 0 -> {
          Inheritance what = choices.oneIn(2) ? Inheritance.SHARE : Inheritance.COPY;
          pair.real().inherit(at, length, what);
          pair.model().inherit(at, length, what);
        }
        case 1 -> {
          if (ground.pairs().size() < Ground.MAXIMUM_SPACES) {
            LongPredicate atOnce = new Entries(pair.real()).copiedAtOnce(List.of());
            ground
                .pairs()
                .add(new Pair(pair.real().fork(), ModelForker.fork(pair.model(), atOnce)));
          } else {
            new SpaceCommands(ground).exit(pair);
          }
        }
        case 2, 3 -> {
          pair.real().unmap(at, length);
          pair.model().unmap(at, length);
        }
        default -> {
          for (int i = 0; i < 8; i++) {
            touch(pair, AT / PAGE + choices.below(PAGES), choices.oneIn(2));
          }
        }
      }
    }

    private void touch(Pair pair, long page, boolean write) {
      long at = page * PAGE + choices.below(PAGE);
      if (!pair.model().isAnyMapped(at, 1)) {
        return;
      }
      cpu.attach(pair.real());
      if (write) {
        byte value = (byte) choices.below(256);
        cpu.set(JAVA_BYTE, at, value);
        pair.model().store(at, value);
      } else {
        same(pair.model().load(at), cpu.get(JAVA_BYTE, at));
      }
    }
  }
}
