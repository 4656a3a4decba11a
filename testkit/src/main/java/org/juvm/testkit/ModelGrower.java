package org.juvm.testkit;

import java.util.Map;
import org.juvm.base.Protection;

/** Lets a stack grow. The rules, and the order of their checks, are those of the real one. */
final class ModelGrower {
  private final ModelSpace space;

  ModelGrower(ModelSpace space) {
    this.space = space;
  }

  /** Maps a page that is not mapped, if a stack can grow to it. */
  ModelSpace.Refusal grow(long page) {
    Map.Entry<Long, ModelSlot> above = space.slots().higherEntry(page);
    ModelStack stack = above == null ? null : above.getValue().stack;
    if (above == null || stack == null || page < stack.low()) {
      return ModelSpace.Refusal.NOT_MAPPED;
    }
    long start = above.getKey();
    Long below = space.slots().lowerKey(page);
    long lowest = stack.low() + stack.guard();
    if (below != null && below + 1 > stack.low()) {
      lowest = Math.max(lowest, below + 1 + stack.guard());
    }
    long room = space.spaceLimit / space.pageSize() - space.slots().size();
    boolean wire = space.wireFuture && above.getValue().protection != Protection.NONE;
    if (wire) {
      room = Math.min(room, (space.lockedLimit - space.locked()) / space.pageSize());
    }
    lowest = Math.max(lowest, start - room);
    if (page < lowest) {
      return ModelSpace.Refusal.STACK_LIMIT;
    }
    long step = ModelStack.GROWTH / space.pageSize();
    long from = Math.max(lowest, start - Math.ceilDiv(start - page, step) * step);
    for (long each = from; each < start; each++) {
      space.slots().put(each, above.getValue().like(new ModelPage()));
    }
    return !wire || wired(from, start) ? ModelSpace.Refusal.NONE : ModelSpace.Refusal.OUT_OF_MEMORY;
  }

  /** What has grown stays even if it cannot be wired. */
  private boolean wired(long from, long to) {
    long at = from * space.pageSize();
    long length = (to - from) * space.pageSize();
    return new ModelPaging(space).wire(at, length, _ -> false).isEmpty();
  }
}
