package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.juvm.testkit.Ground.same;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.juvm.Cpu;
import org.juvm.Vmspace;
import org.juvm.base.Access;

/** Windows, also while the space forks or loses what is in the window. */
final class WindowCommands {
  private final Ground ground;

  /** How far the action of a window got: length of its first segment. */
  private long firstRun;

  /** What was made or refused inside the action of a window. */
  private @Nullable Vmspace child;

  private LongPredicate copiedAtOnce = _ -> false;
  private String unmapped = "";

  WindowCommands(Ground ground) {
    this.ground = ground;
  }

  void run(Pair pair, Cpu cpu, Command command) {
    Access access = command.kind() == Command.Kind.WINDOW_READ ? Access.READ : Access.WRITE;
    long start = ground.address(pair, command.page());
    long at = start + ground.offset(command);
    int length = Ground.bytes(command);
    byte[] seen = new byte[length];
    long[] position = new long[1];
    firstRun = -1;
    child = null;
    String found =
        ground.outcome(
            () ->
                cpu.bulk()
                    .window(
                        at,
                        length,
                        access,
                        segment -> {
                          if (access == Access.READ) {
                            MemorySegment.copy(
                                segment,
                                JAVA_BYTE,
                                0,
                                seen,
                                (int) position[0],
                                (int) segment.byteSize());
                            position[0] += segment.byteSize();
                            return;
                          }
                          if (firstRun < 0) {
                            firstRun = segment.byteSize();
                            inFirst(pair, at, command, segment);
                          }
                          segment.fill((byte) command.option());
                        }));
    same(windowInModel(pair, at, length, command, seen), found);
    if (ground.pairs().size() > Ground.MAXIMUM_SPACES) {
      new SpaceCommands(ground).exit(ground.pairs().getFirst());
    }
  }

  private void inFirst(Pair pair, long at, Command command, MemorySegment segment) {
    if (command.kind() == Command.Kind.WINDOW_FORK) {
      segment.fill((byte) 1);
      copiedAtOnce =
          new Entries(pair.real()).copiedAtOnce(pages(pair.model(), at, segment.byteSize()));
      child = pair.real().fork();
    }
    if (command.kind() == Command.Kind.WINDOW_UNMAP) {
      long page = at - at % ground.pageSize();
      unmapped = ground.outcome(() -> pair.real().unmap(page, 16L * ground.pageSize()));
    }
  }

  private static List<Long> pages(ModelSpace model, long at, long run) {
    List<Long> pages = new ArrayList<>();
    for (long page = model.page(at); page <= model.page(at + run - 1); page++) {
      pages.add(page);
    }
    return pages;
  }

  private String windowInModel(Pair pair, long at, int length, Command command, byte[] seen) {
    ModelBytes model = ground.bytesOf(pair);
    if (command.kind() == Command.Kind.WINDOW_READ) {
      byte[] expected = new byte[length];
      String outcome = model.load(at, expected, 0, length);
      same(Arrays.toString(expected), Arrays.toString(seen));
      return outcome;
    }
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) command.option());
    if (firstRun < 0) {
      return length == 0 ? "" : model.store(at, bytes, 0, length);
    }
    int run = (int) firstRun;
    String first;
    Vmspace made = child;
    if (made != null) {
      byte[] ones = new byte[run];
      Arrays.fill(ones, (byte) 1);
      first = model.store(at, ones, 0, run);
      forkInModel(pair, at, run, made);
      first += model.store(at, bytes, 0, run);
    } else {
      first = model.store(at, bytes, 0, run);
      if (command.kind() == Command.Kind.WINDOW_UNMAP) {
        long page = at - at % ground.pageSize();
        same(new ModelMapper(pair.model()).unmap(page, 16L * ground.pageSize()), unmapped);
      }
    }
    same("", first);
    return model.store(at + run, bytes, run, length - run);
  }

  /** Pages in a window are as those of a wired mapping. */
  private void forkInModel(Pair parent, long at, int run, Vmspace made) {
    List<ModelFrame> lent = new ArrayList<>();
    for (long page : pages(parent.model(), at, run)) {
      lent.add(parent.model().slotAt(page * ground.pageSize()).forStore(ground.pageSize()));
    }
    lent.forEach(frame -> frame.wirings++);
    Pair pair = new Pair(made, ModelForker.fork(parent.model(), copiedAtOnce));
    lent.forEach(frame -> frame.wirings--);
    same(pair.model().layout(), Entries.layout(made));
    ground.pairs().add(pair);
  }
}
