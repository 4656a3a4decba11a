package org.juvm.map;

import org.jspecify.annotations.Nullable;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;
import org.juvm.object.MemoryObject;

/**
 * What a new mapping is to be like.
 *
 * @param protection what may be done
 * @param maximum the most that the protection may become
 * @param inheritance what a child gets
 * @param advice how it will be used
 * @param flags bits of {@link org.juvm.base.MapFlag}
 * @param object what is mapped, or null for anonymous memory
 * @param offset index of the object's page that is mapped first, or BY_ADDRESS
 * @param copyOnWrite whether stores are to stay out of the object
 * @param root the root of its page tables, if it has the flag PAGE_TABLE; else 0
 */
public record Attributes(
    Protection protection,
    Protection maximum,
    Inheritance inheritance,
    Advice advice,
    int flags,
    @Nullable MemoryObject object,
    long offset,
    boolean copyOnWrite,
    long root) {

  /**
   * In place of an offset: the page that has the number of the address, counted from the first
   * kernel address.
   */
  public static final long BY_ADDRESS = -1;

  /**
   * The same, with another offset.
   *
   * @param newOffset index of the object's page that is mapped first
   * @return the attributes
   */
  Attributes withOffset(long newOffset) {
    return new Attributes(
        protection, maximum, inheritance, advice, flags, object, newOffset, copyOnWrite, root);
  }

  /**
   * Memory of the kernel: no child gets it, and what surrounds a page says nothing about it.
   *
   * @param object what is behind it, with a reference for the mapping
   * @param protection what may be done now
   * @return the attributes
   */
  public static Attributes kernel(MemoryObject object, Protection protection) {
    return new Attributes(
        protection,
        Protection.READ_WRITE,
        Inheritance.NONE,
        Advice.RANDOM,
        0,
        object,
        BY_ADDRESS,
        false,
        0);
  }

  /**
   * Anonymous private memory.
   *
   * @param protection what may be done with it
   * @return the attributes that it has by default
   */
  public static Attributes anonymous(Protection protection) {
    return new Attributes(
        protection,
        Protection.READ_WRITE_EXECUTE,
        Inheritance.COPY,
        Advice.NORMAL,
        0,
        null,
        0,
        false,
        0);
  }
}
