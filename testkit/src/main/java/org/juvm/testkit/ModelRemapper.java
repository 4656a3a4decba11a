package org.juvm.testkit;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import org.juvm.base.Protection;

/**
 * Moves and doubles mappings. Results are the name of the reason why something cannot be done, or
 * empty; then nothing has changed.
 */
final class ModelRemapper {
  private final ModelSpace space;

  /** Where the memory is now. */
  long address;

  ModelRemapper(ModelSpace space) {
    this.space = space;
  }

  private String refusal(long at, long length, long more) {
    if (!space.isAllMapped(at, length)) {
      return "NOT_MAPPED";
    }
    if (space.range(at, length).values().stream().anyMatch(ModelSlot::isImmutable)) {
      return "IMMUTABLE";
    }
    return space.mayGrowBy(more) ? "" : "LIMIT";
  }

  /** Resizes a range; to a place that is given, if that is not negative. */
  String remap(long at, long length, long newLength, long place) {
    long more = newLength - length;
    String refused = refusal(at, length, more);
    if (!refused.isEmpty()) {
      return refused;
    }
    boolean fits =
        more <= 0
            || (space.isInside(at, newLength)
                && !space.isAnyMapped(at + length, more)
                && (place >= 0 || !isReserved(space.page(at + length), more / space.pageSize())));
    address = at;
    if (!fits || (place >= 0 && place != at)) {
      refused = find(newLength, place);
      if (!refused.isEmpty()) {
        return refused;
      }
    }
    ModelSlot last = space.range(at, length).lastEntry().getValue();
    boolean wire = more > 0 && space.wireFuture && last.protection != Protection.NONE;
    if (wire) {
      if (more > space.lockedLimit - space.locked()) {
        return "LIMIT";
      }
      ModelObject object = last.object;
      if (object != null && !object.contains(last.index + more / space.pageSize())) {
        return "BEYOND_END";
      }
    }
    change(at, length, newLength, last);
    if (wire) {
      String wired = new ModelPaging(space).wire(address + length, more, _ -> false);
      assert wired.isEmpty() : wired;
    }
    return "";
  }

  /** Whether a stack keeps any of some pages, which are free, for itself. */
  private boolean isReserved(long first, long pages) {
    Map.Entry<Long, ModelSlot> above = space.slots().ceilingEntry(first);
    ModelStack stack = above == null ? null : above.getValue().stack;
    return above != null
        && stack != null
        && first + pages > Math.clamp(stack.low(), first, above.getKey());
  }

  private String find(long length, long place) {
    if (place < 0) {
      address = space.lowestHole(length / space.pageSize());
      return address < 0 ? "NO_SPACE" : "";
    }
    address = place;
    if (!space.isInside(place, length)) {
      return "NO_SPACE";
    }
    return space.isAnyMapped(place, length) ? "OCCUPIED" : "";
  }

  private void change(long at, long length, long newLength, ModelSlot last) {
    if (newLength < length) {
      space.unmap(at + newLength, length - newLength);
    }
    if (address != at) {
      NavigableMap<Long, ModelSlot> old = space.range(at, Math.min(length, newLength));
      Map<Long, ModelSlot> moved = new TreeMap<>(old);
      old.clear();
      moved.forEach(
          (number, slot) -> {
            slot.leaveStack();
            space.slots().put(number + space.page(address) - space.page(at), slot);
          });
    }
    long pages = (newLength - length) / space.pageSize();
    for (long i = 0; i < pages; i++) {
      ModelSlot added = last.like(new ModelPage());
      added.leaveStack();
      added.index = last.object == null ? 0 : last.index + 1 + i;
      space.slots().put(space.page(address + length) + i, added);
    }
  }

  /** Shows the memory of a range a second time, wired if all that is mapped is to be. */
  String duplicate(long at, long length, LongPredicate shared) {
    String refused = refusal(at, length, length);
    if (!refused.isEmpty()) {
      return refused;
    }
    refused = find(length, -1);
    if (!refused.isEmpty()) {
      return refused;
    }
    space.hasRelatives = true;
    long distance = space.page(address) - space.page(at);
    new TreeMap<>(space.range(at, length))
        .forEach(
            (number, slot) -> {
              ModelSlot second = ModelForker.share(slot, space.pageSize());
              second.leaveStack();
              space.slots().put(number + distance, second);
            });
    if (space.wireFuture) {
      String wired = new ModelPaging(space).wire(address, length, shared);
      if (!wired.isEmpty() && !wired.equals("NO_ACCESS")) {
        space.unmap(address, length);
        return wired;
      }
    }
    return "";
  }
}
