package org.juvm.testkit;

import org.jspecify.annotations.Nullable;
import org.juvm.base.Access;

/**
 * Accesses to ranges of one space in the model: byte by byte, up to the first that cannot be done.
 * Results are what {@link Ground#outcome} says about the same access.
 */
final class ModelBytes {
  private final Ground ground;
  private final ModelSpace model;
  private final boolean override;

  ModelBytes(Ground ground, ModelSpace model, boolean override) {
    this.ground = ground;
    this.model = model;
    this.override = override;
  }

  /** The same as a debugger does it. */
  ModelBytes pastProtection() {
    return new ModelBytes(ground, model, true);
  }

  void touch(long address) {
    byte[] touched = model.touchForStore(address);
    assert touched.length == model.pageSize();
  }

  /** Why an access to one byte cannot be done, or null. */
  @Nullable String refused(long address, Access access) {
    ModelSpace.Refusal refusal = model.refusal(address, access, override);
    return refusal == ModelSpace.Refusal.NONE
        ? null
        : ground.fault(refusal.name(), access, address);
  }

  String load(long at, byte[] into, int from, int length) {
    for (int i = 0; i < length; i++) {
      String fault = refused(at + i, Access.READ);
      if (fault != null) {
        return fault;
      }
      into[from + i] = model.load(at + i);
    }
    return "";
  }

  String store(long at, byte[] bytes, int from, int length) {
    for (int i = 0; i < length; i++) {
      String fault = refused(at + i, Access.WRITE);
      if (fault != null) {
        return fault;
      }
      model.store(at + i, bytes[from + i]);
    }
    return "";
  }

  String copy(long from, long to, int length) {
    boolean backwards = from < to && to < from + length;
    for (int i = 0; i < length; i++) {
      int at = backwards ? length - 1 - i : i;
      String fault = refused(from + at, Access.READ);
      if (fault == null) {
        byte value = model.load(from + at);
        fault = refused(to + at, Access.WRITE);
        if (fault == null) {
          model.store(to + at, value);
          continue;
        }
      }
      return fault;
    }
    return "";
  }
}
