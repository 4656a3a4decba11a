package org.juvm.pmap;

/** Receives mappings. */
@FunctionalInterface
public interface MappingVisitor {
  /**
   * Called for each mapped page, in ascending order, with the pmap locked.
   *
   * @param address first address of the page
   * @param frame its frame
   * @param writable whether a store needs no fault
   */
  void visit(long address, int frame, boolean writable);
}
