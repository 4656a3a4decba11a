package org.juvm.testkit;

import static org.juvm.testkit.Ground.same;

import java.util.List;
import java.util.function.LongPredicate;
import org.juvm.Vmspace;
import org.juvm.base.Limit;

/** Whole spaces: fork, exit, exec, references and limits. */
final class SpaceCommands {
  private final Ground ground;

  SpaceCommands(Ground ground) {
    this.ground = ground;
  }

  void run(Pair pair, Command command) {
    switch (command.kind()) {
      case FORK -> fork(pair);
      case EXIT -> exit(pair);
      case EXEC -> exec(pair, command);
      case UNSHARE -> unshare(pair, command);
      default -> limit(pair, command);
    }
  }

  private static LongPredicate copiedAtOnce(Pair pair) {
    return new Entries(pair.real()).copiedAtOnce(List.of());
  }

  private void fork(Pair pair) {
    if (ground.pairs().size() == Ground.MAXIMUM_SPACES) {
      exit(pair);
      return;
    }
    LongPredicate atOnce = copiedAtOnce(pair);
    add(new Pair(pair.real().fork(), ModelForker.fork(pair.model(), atOnce)));
  }

  private void add(Pair pair) {
    ground.pairs().add(pair);
    same(pair.model().layout(), Entries.layout(pair.real()));
    for (Limit limit : List.of(Limit.LOCKED, Limit.ADDRESS_SPACE)) {
      long expected = limit == Limit.LOCKED ? pair.model().lockedLimit : pair.model().spaceLimit;
      same(expected, pair.real().limit(limit));
    }
  }

  void exit(Pair pair) {
    pair.real().close();
    removed(pair);
  }

  private void removed(Pair pair) {
    pair.model().exit();
    ground.pairs().remove(pair);
    if (ground.pairs().isEmpty()) {
      ground.addSpace();
    }
  }

  private void exec(Pair pair, Command command) {
    Vmspace fresh;
    ModelSpace model;
    if (command.option() % 2 == 0) {
      fresh = pair.real().exec(null);
      model = pair.model().newRelative();
    } else {
      Pair image = ground.pairs().get(command.target() % ground.pairs().size());
      LongPredicate atOnce = copiedAtOnce(image);
      fresh = pair.real().exec(image.real());
      model = ModelForker.fork(image.model(), atOnce);
      model.lockedLimit = pair.model().lockedLimit;
      model.spaceLimit = pair.model().spaceLimit;
    }
    same(true, pair.real().isExited());
    add(new Pair(fresh, model));
    removed(pair);
  }

  /** With one reference nothing happens; with two it is a fork. */
  private void unshare(Pair pair, Command command) {
    if (command.option() % 2 == 0 || ground.pairs().size() == Ground.MAXIMUM_SPACES) {
      same(pair.real(), pair.real().unshare());
      return;
    }
    same(2, pair.real().reference().references());
    LongPredicate atOnce = copiedAtOnce(pair);
    add(new Pair(pair.real().unshare(), ModelForker.fork(pair.model(), atOnce)));
    same(1, pair.real().references());
  }

  /** Half of the limits leave a little room, or are less than what there is. */
  private void limit(Pair pair, Command command) {
    long room = (command.target() % 60 - 10L) * ground.pageSize();
    boolean none = command.option() % 4 < 2;
    if (command.option() % 2 == 0) {
      long bytes = none ? Long.MAX_VALUE : Math.max(0, pair.model().locked() + room);
      bytes = Math.min(bytes, ground.mostLocked());
      pair.real().setLimit(Limit.LOCKED, bytes);
      pair.model().lockedLimit = bytes;
    } else {
      long mapped = (long) pair.model().slots().size() * ground.pageSize();
      long bytes = none ? Long.MAX_VALUE : Math.max(0, mapped + room);
      pair.real().setLimit(Limit.ADDRESS_SPACE, bytes);
      pair.model().spaceLimit = bytes;
    }
  }
}
