package org.juvm.testkit;

/** The bytes of a page, wherever it is seen. */
final class ModelFrame {
  final byte[] bytes;

  /** Pages that have this frame. */
  int pages = 1;

  /** Wired slots whose page is in this frame. */
  int wirings;

  ModelFrame(byte[] bytes) {
    this.bytes = bytes;
  }
}
