package org.juvm.testkit;

import java.util.Collection;
import java.util.EnumSet;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/**
 * Makes mappings and changes them. Results are the name of the reason why something cannot be done,
 * or empty; then nothing has changed.
 */
final class ModelMapper {

  /** Where a mapping goes. */
  enum Rule {
    ANYWHERE,
    EXCLUSIVE,
    FIXED
  }

  /** A mapping that is wanted; fields as in the real request. */
  static final class Request {
    Rule rule = Rule.ANYWHERE;
    long address;
    long length;
    long alignment = 1;
    Protection protection = Protection.READ_WRITE;
    Protection maximum = Protection.READ_WRITE_EXECUTE;
    Inheritance inheritance = Inheritance.COPY;
    Advice advice = Advice.NORMAL;
    Set<MapFlag> flags = EnumSet.noneOf(MapFlag.class);
    @Nullable ModelObject object;
    long index;
    boolean copyOnWrite;
    boolean wired;

    /** Guard in pages; -1: not a stack. */
    long guard = -1;
  }

  private final ModelSpace space;

  /** Where the last mapping was put. */
  long address;

  ModelMapper(ModelSpace space) {
    this.space = space;
  }

  String map(Request request) {
    if (!request.maximum.includes(request.protection)) {
      return "MAXIMUM_PROTECTION";
    }
    boolean accessible = request.protection != Protection.NONE;
    if (request.wired && !accessible) {
      return "NO_ACCESS";
    }
    long mapped = request.length;
    if (request.guard >= 0) {
      mapped = Math.min(request.length - request.guard * space.pageSize(), ModelStack.GROWTH);
    }
    String refused = find(request, mapped);
    if (!refused.isEmpty()) {
      return refused;
    }
    boolean wire = request.wired || (space.wireFuture && accessible);
    if (wire) {
      long gone =
          space.range(address, request.length).values().stream().filter(ModelSlot::isWired).count()
              * space.pageSize();
      if (mapped > space.lockedLimit - (space.locked() - gone)) {
        return "LIMIT";
      }
      ModelObject object = request.object;
      if (object != null && !object.contains(request.index + mapped / space.pageSize() - 1)) {
        return "BEYOND_END";
      }
    }
    if (isAnyImmutable(address, request.length)) {
      return "IMMUTABLE";
    }
    space.unmap(address, request.length);
    enter(request, mapped);
    if (wire) {
      String wired =
          new ModelPaging(space).wire(address + request.length - mapped, mapped, _ -> false);
      assert wired.isEmpty() : wired;
    }
    return "";
  }

  private String find(Request request, long mapped) {
    if (request.rule == Rule.ANYWHERE) {
      if (!space.mayGrowBy(mapped)) {
        return "LIMIT";
      }
      long pages = request.length / space.pageSize();
      long alignment = Math.max(1, request.alignment / space.pageSize());
      address =
          space.hole(Math.ceilDiv(request.address, (long) space.pageSize()), pages, alignment);
      if (address < 0) {
        address = space.hole(0, pages, alignment);
      }
      return address < 0 ? "NO_SPACE" : "";
    }
    address = request.address;
    if (!space.isInside(address, request.length) || address % request.alignment != 0) {
      return "NO_SPACE";
    }
    Collection<ModelSlot> there = space.range(address, request.length).values();
    if (!there.isEmpty() && request.rule == Rule.EXCLUSIVE) {
      return "OCCUPIED";
    }
    if (!space.mayGrowBy(mapped - (long) there.size() * space.pageSize())) {
      return "LIMIT";
    }
    return "";
  }

  private void enter(Request request, long mapped) {
    long first = space.page(address + request.length - mapped);
    long end = space.page(address + request.length);
    for (long page = first; page < end; page++) {
      ModelSlot slot = new ModelSlot(request.protection);
      slot.maximum = request.maximum;
      slot.inheritance = request.inheritance;
      slot.advice = request.advice;
      slot.flags = EnumSet.copyOf(request.flags);
      if (request.guard >= 0) {
        slot.stack = new ModelStack(space.page(address), end, request.guard);
        slot.flags.add(MapFlag.STACK);
      }
      slot.object = request.object;
      slot.index = request.object == null ? 0 : request.index + page - first;
      slot.copyOnWrite = request.copyOnWrite;
      space.slots().put(page, slot);
    }
  }

  // ---- changes of what there is ----

  private boolean isAnyImmutable(long at, long length) {
    return space.range(at, length).values().stream().anyMatch(ModelSlot::isImmutable);
  }

  String unmap(long at, long length) {
    if (isAnyImmutable(at, length)) {
      return "IMMUTABLE";
    }
    space.unmap(at, length);
    return "";
  }

  /** What becomes accessible is wired, if all that is to come is. */
  String protect(long at, long length, Protection protection, LongPredicate shared) {
    if (!space.isAllMapped(at, length)) {
      return "NOT_MAPPED";
    }
    for (ModelSlot slot : space.range(at, length).values()) {
      if (slot.isImmutable()) {
        return "IMMUTABLE";
      }
      if (!slot.maximum.includes(protection)) {
        return "MAXIMUM_PROTECTION";
      }
    }
    NavigableMap<Long, ModelSlot> opened = new TreeMap<>();
    if (space.wireFuture && protection != Protection.NONE) {
      opened.putAll(space.range(at, length));
      opened.values().removeIf(slot -> slot.protection != Protection.NONE || slot.isWired());
    }
    if (!opened.isEmpty()
        && opened.size() * (long) space.pageSize() > space.lockedLimit - space.locked()) {
      return "LIMIT";
    }
    space.protect(at, length, protection);
    String refusal = new ModelPaging(space).wireAllOf(opened, shared);
    if (!refusal.isEmpty()) {
      opened.values().forEach(slot -> slot.protection = Protection.NONE);
    }
    return refusal;
  }

  String protectMaximum(long at, long length, Protection maximum) {
    for (ModelSlot slot : space.range(at, length).values()) {
      if (!slot.maximum.includes(maximum)) {
        return "MAXIMUM_PROTECTION";
      }
      if (slot.isImmutable()) {
        return "IMMUTABLE";
      }
    }
    for (ModelSlot slot : space.range(at, length).values()) {
      slot.maximum = maximum;
      slot.protection = slot.protection.and(maximum);
    }
    return "";
  }

  String inherit(long at, long length, Inheritance inheritance) {
    if (isAnyImmutable(at, length)) {
      return "IMMUTABLE";
    }
    space.inherit(at, length, inheritance);
    return "";
  }

  String makeImmutable(long at, long length) {
    for (ModelSlot slot : space.range(at, length).values()) {
      if (slot.inheritance == Inheritance.ZERO
          && (slot.protection.bits() & Protection.WRITE_BIT) == 0) {
        return "IMMUTABLE";
      }
    }
    space.range(at, length).values().forEach(slot -> slot.flags.add(MapFlag.IMMUTABLE));
    return "";
  }

  boolean permits(long at, long length, Protection protection) {
    return space.isAllMapped(at, length)
        && space.range(at, length).values().stream()
            .allMatch(slot -> slot.protection.includes(protection));
  }
}
