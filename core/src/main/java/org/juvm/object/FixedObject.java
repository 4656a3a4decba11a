package org.juvm.object;

import org.juvm.base.VmPanic;

/**
 * An object whose pages are there from the start and stay where they are: there is one of each,
 * which is never copied, and no page daemon knows it. What is stored is where it belongs at once.
 */
abstract class FixedObject extends MemoryObject {
  FixedObject(ObjectSupport support, long size) {
    super(support, size);
  }

  @Override
  public final boolean isAnonymous() {
    return false;
  }

  @Override
  public final boolean isDevice() {
    return true;
  }

  @Override
  public final boolean isPageable() {
    return false;
  }

  @Override
  public final void clean(long first, long end, boolean invalidate) {}

  @Override
  public final void writeOut(long first, long end) {}

  // ---- what is never asked of such a page ----

  @Override
  final void bringIn(PageRequest request, long page, int place) {
    throw stays();
  }

  @Override
  public final boolean read(PageRequest request) {
    throw stays();
  }

  @Override
  public final void evict(int frame) {
    throw stays();
  }

  @Override
  public final void write(int[] busy, int count) {
    throw stays();
  }

  private static VmPanic stays() {
    return new VmPanic("a page that is always there neither comes nor goes");
  }
}
