package org.juvm.testkit;

import java.util.function.LongPredicate;

/** Makes a child. */
final class ModelForker {
  private final ModelSpace parent;
  private final LongPredicate atOnce;
  private final ModelSpace child;

  private ModelForker(ModelSpace parent, LongPredicate atOnce) {
    this.parent = parent;
    this.atOnce = atOnce;
    child = parent.newRelative();
  }

  /**
   * Makes a child.
   *
   * @param parent what is copied
   * @param atOnce whether the memory of a page's mapping is such that pages in wired frames are
   *     copied at once although the mapping is not wired itself
   */
  static ModelSpace fork(ModelSpace parent, LongPredicate atOnce) {
    ModelForker forker = new ModelForker(parent, atOnce);
    parent.slots().forEach(forker::inherit);
    parent.hasRelatives = true;
    forker.child.hasRelatives = true;
    return forker.child;
  }

  private void inherit(long number, ModelSlot slot) {
    switch (slot.inheritance) {
      case SHARE -> child.slots().put(number, share(slot, parent.pageSize()));
      case COPY -> child.slots().put(number, copy(number, slot));
      case ZERO -> {
        ModelSlot zeros = slot.like(new ModelPage());
        zeros.object = null;
        zeros.index = 0;
        zeros.copyOnWrite = false;
        child.slots().put(number, zeros);
      }
      case NONE -> {}
    }
  }

  /** A second slot of one page. A wired page is made that of the slot first, so that it stays. */
  static ModelSlot share(ModelSlot slot, int pageSize) {
    if (slot.isWired() && !slot.isShown()) {
      slot.forStore(pageSize);
    }
    slot.page.slots++;
    return slot.like(slot.page);
  }

  private ModelSlot copy(long number, ModelSlot slot) {
    ModelFrame frame = slot.page.frame;
    boolean now = slot.isWired() || (frame != null && frame.wirings > 0 && atOnce.test(number));
    ModelSlot copy = slot.like(now ? slot.page.copyAtOnce() : slot.page.copy());
    copy.copyOnWrite = slot.object != null;
    return copy;
  }
}
