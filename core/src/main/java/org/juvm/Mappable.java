package org.juvm;

import org.juvm.object.MemoryObject;

/** What a mapping can show beside anonymous memory of its own, as its mappings see it. */
abstract class Mappable {
  Mappable() {}

  /** The system that it belongs to. */
  abstract Vm vm();

  /** Takes a reference for a mapping; throws {@link IllegalStateException} if it is closed. */
  abstract MemoryObject reference();

  /** Whether nobody may store to it. Private mappings can be stored to all the same. */
  boolean isReadOnly() {
    return false;
  }
}
