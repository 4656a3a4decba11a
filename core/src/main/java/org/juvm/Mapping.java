package org.juvm;

import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/**
 * A range of an address space with equal attributes, as it was when it was asked for.
 *
 * @param start first address
 * @param end the address after the last
 * @param protection what may be done there
 * @param maximum the most that the protection may become
 * @param inheritance what a child gets of it
 * @param needsCopy whether it shares all its memory with another address space since a fork
 */
public record Mapping(
    long start,
    long end,
    Protection protection,
    Protection maximum,
    Inheritance inheritance,
    boolean needsCopy) {

  /**
   * The size.
   *
   * @return bytes
   */
  public long length() {
    return end - start;
  }
}
