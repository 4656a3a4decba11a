package org.juvm.base;

/**
 * The format of virtual page tables: those that a guest, a program which is a system of its own,
 * keeps inside the memory that it has mapped. The same 64 bits are an entry of a table and a root.
 *
 * <pre>
 * | 63..52 ignored | 51..page shift  offset in the memory | 7 L | 6 M | 5 A | 2 u | 1 W | 0 V |
 * </pre>
 *
 * V: valid; W: stores are allowed; u: ignored, for the guest; A: was accessed; M: was stored to; L:
 * large. All other bits below the page shift are ignored. Byte order is that of the machine, as of
 * {@code ValueLayout.JAVA_LONG}.
 *
 * <p>A table is one page, full of entries, in the same memory. An entry of level 0 names a page of
 * data, one of level n a table of level n - 1, and the root a table of the highest level. A large
 * entry, of any level or the root, names data itself: bytes in sequence from its offset on, which
 * need not be a multiple of more than a page. There are as many levels as it takes to cover {@link
 * #ADDRESS_BITS} bits.
 *
 * <pre>
 * page size (KiB)       1    2    4    8   16   32   64
 * entries in a table  128  256  512 1024 2048 4096 8192
 * levels                6    5    4    4    3    3    3
 * </pre>
 *
 * <p>Source: the {@code VPTE} constants of {@code sys/vkernel.h}, {@code vm_fault_vpagetable}.
 */
public final class VirtualPte {
  /** The entry names something. Without it, all other bits are the guest's. */
  public static final long VALID = 1;

  /** Stores are allowed, if all entries on the way say so. */
  public static final long WRITABLE = 1 << 1;

  /** Says nothing here; for the guest's own rights. */
  public static final long USER = 1 << 2;

  /** Set when the entry is used. */
  public static final long ACCESSED = 1 << 5;

  /** Set when the entry is used for a store. */
  public static final long MODIFIED = 1 << 6;

  /** The entry names data, not a table. Ignored in level 0, whose entries always do. */
  public static final long LARGE = 1 << 7;

  /** Binary logarithm of the size of a guest's virtual memory; nothing is mapped beyond. */
  public static final int ADDRESS_BITS = 47;

  /** The bytes of an entry. */
  public static final int BYTES = Long.BYTES;

  private static final int OFFSET_BITS = 52;

  private VirtualPte() {}

  /**
   * A valid entry.
   *
   * @param offset where the table or the data is, in bytes from the start of the memory; page
   *     aligned, less than 2^52
   * @param bits an or of the constants above; VALID need not be among them
   * @return the entry
   */
  public static long of(long offset, long bits) {
    if (offset < 0 || offset >>> OFFSET_BITS != 0) {
      throw new IllegalArgumentException("offset out of range: offset=" + offset);
    }
    return offset | bits | VALID;
  }

  /**
   * Which page an entry names.
   *
   * @param pte any entry
   * @param pageSize the page size
   * @return number of the page of the memory, from 0; not necessarily one that it has
   */
  public static long page(long pte, PageSize pageSize) {
    return pageSize.vpn(pte & ((1L << OFFSET_BITS) - 1));
  }

  /**
   * How many tables there are at most on the way to a page.
   *
   * @param pageSize the page size
   * @return levels; those of tables are numbered from 0, and the root names one of the highest
   */
  public static int levels(PageSize pageSize) {
    int bits = indexBits(pageSize);
    return (ADDRESS_BITS - pageSize.shift() + bits - 1) / bits;
  }

  /**
   * How much one entry covers, as a binary logarithm.
   *
   * @param level of its table; that of the root is {@link #levels}
   * @param pageSize the page size
   * @return bits of an address that do not select the entry
   */
  public static int shift(int level, PageSize pageSize) {
    return pageSize.shift() + level * indexBits(pageSize);
  }

  /**
   * Where the entry for an address stands in its table.
   *
   * @param address of the guest's virtual memory
   * @param level of the table
   * @param pageSize the page size
   * @return bytes from the start of the table
   */
  public static int position(long address, int level, PageSize pageSize) {
    return ((int) (address >>> shift(level, pageSize)) & (pageSize.bytes() / BYTES - 1)) * BYTES;
  }

  private static int indexBits(PageSize pageSize) {
    return pageSize.shift() - 3;
  }
}
