package org.juvm.testkit;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;
import org.juvm.base.Protection;

/**
 * Wiring and discarding. Results are the name of the reason why something cannot be done, or empty.
 *
 * <p>What a wiring that fails has touched stays in memory.
 */
final class ModelPaging {
  private final ModelSpace space;

  ModelPaging(ModelSpace space) {
    this.space = space;
  }

  /**
   * Wires a range.
   *
   * @param shared whether private memory at a page is that of other mappings, too
   */
  String wire(long at, long length, LongPredicate shared) {
    if (!space.isAllMapped(at, length)) {
      return "NOT_MAPPED";
    }
    Collection<ModelSlot> slots = space.range(at, length).values();
    if (slots.stream().anyMatch(slot -> slot.protection == Protection.NONE)) {
      return "NO_ACCESS";
    }
    long more = slots.stream().filter(slot -> !slot.isWired()).count() * space.pageSize();
    if (!mayWire(more)) {
      return "LIMIT";
    }
    return wireAllOf(space.range(at, length), shared);
  }

  private boolean mayWire(long more) {
    return more == 0 || more <= space.lockedLimit - space.locked();
  }

  /** Wires what can be accessed and is not wired, or nothing; pages that were made stay. */
  String wireAllOf(Map<Long, ModelSlot> slots, LongPredicate shared) {
    List<ModelSlot> wired = new ArrayList<>();
    for (Map.Entry<Long, ModelSlot> each : slots.entrySet()) {
      ModelSlot slot = each.getValue();
      if (slot.isWired() || slot.protection == Protection.NONE) {
        continue;
      }
      if (slot.isBeyondEnd()) {
        wired.forEach(ModelSlot::unwire);
        return "BEYOND_END";
      }
      slot.wire(space.pageSize(), shared.test(each.getKey()));
      wired.add(slot);
    }
    return "";
  }

  String unwire(long at, long length) {
    if (!space.isAllMapped(at, length)) {
      return "NOT_MAPPED";
    }
    space.range(at, length).values().forEach(ModelSlot::unwire);
    return "";
  }

  String wireAll(boolean current, boolean future, LongPredicate shared) {
    if (current) {
      long more =
          space.slots().values().stream()
              .filter(slot -> !slot.isWired() && slot.protection != Protection.NONE)
              .count();
      if (!mayWire(more * space.pageSize())) {
        return "LIMIT";
      }
      String outcome = wireAllOf(space.slots(), shared);
      if (!outcome.isEmpty()) {
        return outcome;
      }
    }
    space.wireFuture |= future;
    return "";
  }

  void unwireAll() {
    space.slots().values().forEach(ModelSlot::unwire);
    space.wireFuture = false;
  }

  /**
   * Discards private pages.
   *
   * @param kept whether the memory of a mapping is left alone because others may see it
   */
  String discard(long at, long length, LongPredicate kept) {
    for (ModelSlot slot : space.range(at, length).values()) {
      if (slot.isWired()) {
        return "WIRED";
      }
      if (slot.isImmutable() && !slot.isWritable()) {
        return "IMMUTABLE";
      }
    }
    space
        .range(at, length)
        .forEach(
            (number, slot) -> {
              if (!kept.test(number)) {
                if (slot.page.slots > 1) {
                  throw new AssertionError("page that others see discarded: " + number);
                }
                slot.page.wipe();
              } else if (slot.page.frame != null && !space.hasRelatives) {
                throw new AssertionError("page not discarded: " + number);
              }
            });
    return "";
  }

  /** Whether shared memory would be dropped that is wired, or something is not mapped. */
  String clean(long at, long length, boolean invalidate) {
    if (!space.isAllMapped(at, length)) {
      return "NOT_MAPPED";
    }
    boolean wired = space.range(at, length).values().stream().anyMatch(ModelSlot::isWired);
    return invalidate && wired ? "WIRED" : "";
  }
}
