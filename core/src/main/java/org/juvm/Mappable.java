package org.juvm;

import org.juvm.base.Protection;
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

  /** The most that the protection of a shared mapping can become. */
  Protection most() {
    return isReadOnly() ? Protection.READ_EXECUTE : Protection.READ_WRITE_EXECUTE;
  }
}
