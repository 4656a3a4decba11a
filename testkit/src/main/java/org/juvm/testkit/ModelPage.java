package org.juvm.testkit;

import org.jspecify.annotations.Nullable;

/**
 * A private page, in one place or in several that share it by inheritance or because they were
 * doubled. Its frame is also that of its copies, until one of them is written.
 */
final class ModelPage {
  /** None: the page is what lies behind it. */
  @Nullable ModelFrame frame;

  /** Slots that have this page. */
  int slots = 1;

  /** Those of them that are wired. */
  int wirings;

  /** A copy, made when one side writes. */
  ModelPage copy() {
    ModelPage copy = new ModelPage();
    ModelFrame own = frame;
    if (own != null) {
      own.pages++;
      copy.frame = own;
    }
    return copy;
  }

  /** A copy with a frame of its own. */
  ModelPage copyAtOnce() {
    ModelPage copy = new ModelPage();
    ModelFrame own = frame;
    copy.frame = own == null ? null : new ModelFrame(own.bytes.clone());
    return copy;
  }

  /** Takes the frame away: the page is what lies behind it again. */
  void wipe() {
    ModelFrame own = frame;
    if (own != null) {
      own.pages--;
      frame = null;
    }
  }

  /** A slot goes. */
  void drop() {
    slots--;
    if (slots == 0) {
      wipe();
    }
  }
}
