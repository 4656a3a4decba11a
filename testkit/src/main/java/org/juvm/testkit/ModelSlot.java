package org.juvm.testkit;

import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.juvm.base.Access;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/** A page in one space: its attributes, and what is mapped. */
final class ModelSlot {
  ModelPage page = new ModelPage();
  Protection protection;
  Protection maximum = Protection.READ_WRITE_EXECUTE;
  Inheritance inheritance = Inheritance.COPY;
  Advice advice = Advice.NORMAL;
  Set<MapFlag> flags = EnumSet.noneOf(MapFlag.class);
  @Nullable ModelStack stack;

  /** Shared memory behind the page, or instead of it unless {@link #copyOnWrite}. */
  @Nullable ModelObject object;

  /** Which page of the shared memory. */
  long index;

  boolean copyOnWrite;

  ModelSlot(Protection protection) {
    this.protection = protection;
  }

  /** The same attributes and the same shared memory, not wired, with a page that is given. */
  ModelSlot like(ModelPage with) {
    ModelSlot slot = new ModelSlot(protection);
    slot.page = with;
    slot.maximum = maximum;
    slot.inheritance = inheritance;
    slot.advice = advice;
    slot.flags = EnumSet.copyOf(flags);
    slot.flags.remove(MapFlag.USER_WIRED);
    slot.stack = stack;
    slot.object = object;
    slot.index = index;
    slot.copyOnWrite = copyOnWrite;
    return slot;
  }

  /** No part of a stack any more. */
  void leaveStack() {
    stack = null;
    flags.remove(MapFlag.STACK);
  }

  boolean isWired() {
    return flags.contains(MapFlag.USER_WIRED);
  }

  boolean isImmutable() {
    return flags.contains(MapFlag.IMMUTABLE);
  }

  boolean isWritable() {
    return protection.permits(Access.WRITE);
  }

  /** Stores go to shared memory. */
  boolean isShown() {
    return object != null && !copyOnWrite;
  }

  boolean isBeyondEnd() {
    ModelObject behind = object;
    return page.frame == null && behind != null && !behind.contains(index);
  }

  // ---- frames ----

  /** The frame that a load finds, if there is one. */
  @Nullable ModelFrame resident() {
    ModelObject behind = object;
    if (page.frame != null || behind == null) {
      return page.frame;
    }
    return behind.contains(index) ? behind.find(index) : null;
  }

  ModelFrame forLoad(int pageSize) {
    ModelObject behind = object;
    if (page.frame == null && behind != null) {
      return behind.get(index);
    }
    ModelFrame frame = page.frame;
    return frame == null ? own(pageSize) : frame;
  }

  ModelFrame forStore(int pageSize) {
    ModelObject behind = object;
    return behind != null && !copyOnWrite ? behind.get(index) : own(pageSize);
  }

  /** Gives the private page a frame of its own, with the wirings of the one that it replaces. */
  private ModelFrame own(int pageSize) {
    ModelFrame old = page.frame;
    if (old != null && old.pages == 1) {
      return old;
    }
    ModelObject behind = object;
    byte[] bytes;
    if (old != null) {
      old.pages--;
      old.wirings -= page.wirings;
      bytes = old.bytes.clone();
    } else if (behind != null) {
      // What was cut off while it was wired is not to be seen again.
      bytes = behind.contains(index) ? behind.get(index).bytes.clone() : new byte[pageSize];
      behind.unwire(index, page.wirings);
    } else {
      bytes = new byte[pageSize];
    }
    ModelFrame frame = new ModelFrame(bytes);
    frame.wirings = page.wirings;
    page.frame = frame;
    return frame;
  }

  // ---- wiring ----

  /**
   * Wires the page.
   *
   * @param shared whether others see private memory of this mapping as theirs; then they could
   *     replace a page that is not owned, and so it is
   */
  void wire(int pageSize, boolean shared) {
    ModelFrame frame = isWritable() || shared ? forStore(pageSize) : forLoad(pageSize);
    frame.wirings++;
    page.wirings += isShown() ? 0 : 1;
    flags.add(MapFlag.USER_WIRED);
  }

  void unwire() {
    if (!flags.remove(MapFlag.USER_WIRED)) {
      return;
    }
    page.wirings -= isShown() ? 0 : 1;
    ModelFrame frame = page.frame;
    ModelObject behind = object;
    if (frame != null) {
      frame.wirings--;
    } else if (behind != null) {
      behind.unwire(index, 1);
    }
  }

  /** The slot goes. */
  void drop() {
    unwire();
    page.drop();
  }

  /** Whether this is like the page before it, and maps the page of shared memory after it. */
  boolean continues(ModelSlot before) {
    return protection == before.protection
        && maximum == before.maximum
        && inheritance == before.inheritance
        && advice == before.advice
        && flags.equals(before.flags)
        && (object == null) == (before.object == null)
        && (object == null || index == before.index + 1);
  }

  /** All that the layout says about the page. */
  String attributes() {
    return protection
        + "/"
        + maximum
        + " "
        + inheritance
        + " "
        + advice
        + " "
        + EnumSet.copyOf(flags)
        + (object == null ? "" : " object");
  }
}
