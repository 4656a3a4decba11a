package org.juvm;

import org.jspecify.annotations.Nullable;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;
import org.juvm.map.Attributes;
import org.juvm.map.Placement;
import org.juvm.object.MemoryObject;

/**
 * Describes a mapping that is to be made by {@link AddressMap#map(MapRequest)}. Each method changes
 * the request and returns it. For one thread; a request can be used often.
 *
 * <pre>{@code
 * long arena = vmspace.map(MapRequest.anonymous(1L << 30).alignment(1 << 21));
 * }</pre>
 *
 * <p>Source: {@code mmap(2)}; {@code uvm_map}.
 */
public final class MapRequest {
  /** What {@link #stack} leaves unmapped at the lower end if nothing else is said. Bytes. */
  public static final long DEFAULT_GUARD = 64 << 10;

  private final long length;
  private final @Nullable Mappable memory;
  private final long offset;
  private final boolean stack;
  private long guard = DEFAULT_GUARD;
  private Placement.Rule rule = Placement.Rule.ANYWHERE;
  private long address;
  private long alignment = 1;
  private Protection protection = Protection.READ_WRITE;
  private Protection maximum = Protection.READ_WRITE_EXECUTE;
  private @Nullable Inheritance inheritance;
  private Advice advice = Advice.NORMAL;
  private boolean shared;
  private long root;
  private boolean wired;
  private int flags;

  private MapRequest(long length, @Nullable Mappable memory, long offset, boolean stack) {
    this.length = length;
    this.memory = memory;
    this.offset = offset;
    this.stack = stack;
  }

  /**
   * Memory that consists of zeros at first: readable and writable, private, anywhere.
   *
   * @param length bytes, greater than 0; rounded up to whole pages
   * @return a request
   */
  public static MapRequest anonymous(long length) {
    return new MapRequest(length, null, 0, false);
  }

  /**
   * A part of shared memory. It may go beyond its end, but not be used there. Stores are private
   * unless {@link #shared} is called.
   *
   * @param memory the shared memory, of the same system
   * @param offset bytes from its start, page aligned, at least 0
   * @param length bytes, greater than 0; rounded up to whole pages
   * @return a request
   */
  public static MapRequest of(SharedMemory memory, long offset, long length) {
    return new MapRequest(length, memory, offset, false);
  }

  /**
   * A part of a file. It may go beyond its end, but not be used there. Stores are private unless
   * {@link #shared} is called. A shared mapping of a file that is open for reading only can never
   * be written: its maximum protection is READ_EXECUTE, and the protection must be asked for.
   *
   * @param file an open file, of the same system
   * @param offset bytes from its start, page aligned, at least 0
   * @param length bytes, greater than 0; rounded up to whole pages
   * @return a request
   */
  public static MapRequest of(MappedFile file, long offset, long length) {
    return new MapRequest(length, file, offset, false);
  }

  /**
   * A part of memory that a client's pager provides. It may go beyond its end, but not be used
   * there. Stores are private unless {@link #shared} is called.
   *
   * @param memory the memory, of the same system
   * @param offset bytes from its start, page aligned, at least 0
   * @param length bytes, greater than 0; rounded up to whole pages
   * @return a request
   */
  public static MapRequest of(PagedMemory memory, long offset, long length) {
    return new MapRequest(length, memory, offset, false);
  }

  /**
   * A part of a client's own memory. It may go beyond its end, but not be used there. The mapping
   * is always shared.
   *
   * @param memory the memory, of the same system
   * @param offset bytes from its start, page aligned, at least 0
   * @param length bytes, greater than 0; rounded up to whole pages
   * @return a request
   */
  public static MapRequest of(DeviceMemory memory, long offset, long length) {
    return new MapRequest(length, memory, offset, false).shared();
  }

  /**
   * The page of statistics of a system, to be read and never written. The mapping is always shared.
   *
   * @param page the page, of the same system
   * @return a request with protection READ
   */
  public static MapRequest of(StatisticsPage page) {
    return of(page, 0, page.size());
  }

  /**
   * As above, in the shape of the others: the mapping may go beyond the page, but not be used
   * there.
   *
   * @param page the page, of the same system
   * @param offset bytes from its start, page aligned, at least 0
   * @param length bytes, greater than 0; rounded up to whole pages
   * @return a request with protection READ
   */
  public static MapRequest of(StatisticsPage page, long offset, long length) {
    return new MapRequest(length, page, offset, false).shared().protection(Protection.READ);
  }

  /**
   * A stack: private memory whose upper end is mapped, and which grows downwards when it is touched
   * below, by 128 KiB or more, until nothing but its guard is left, the limit STACK is reached, or
   * something else that was put into its reserve is nearer than its guard. Other mappings are not
   * put there unless their address is given.
   *
   * @param reserve bytes that the stack can have together with its guard; rounded up to whole pages
   * @return a request; {@link AddressMap#map(MapRequest)} returns the lowest address of the reserve
   */
  public static MapRequest stack(long reserve) {
    return new MapRequest(reserve, null, 0, true);
  }

  /**
   * How much of a stack's reserve is never mapped.
   *
   * @param bytes at least 0, less than the reserve; rounded up to whole pages
   * @return this
   */
  public MapRequest guard(long bytes) {
    guard = bytes;
    return this;
  }

  /**
   * The search for space starts at an address.
   *
   * @param hint any address; rounded up to whole pages
   * @return this
   */
  public MapRequest near(long hint) {
    rule = Placement.Rule.ANYWHERE;
    address = hint;
    return this;
  }

  /**
   * At an address, if nothing is mapped in the range.
   *
   * @param start page aligned
   * @return this
   */
  public MapRequest at(long start) {
    rule = Placement.Rule.EXCLUSIVE;
    address = start;
    return this;
  }

  /**
   * At an address, replacing what is mapped there. No other thread finds the range without a
   * mapping meanwhile.
   *
   * @param start page aligned
   * @return this
   */
  public MapRequest replacing(long start) {
    rule = Placement.Rule.FIXED;
    address = start;
    return this;
  }

  /**
   * The address must be a multiple of a number.
   *
   * @param bytes a multiple of the page size, not necessarily a power of two; or 1 for any page
   * @return this
   */
  public MapRequest alignment(long bytes) {
    alignment = bytes;
    return this;
  }

  /**
   * What may be done with the memory. Default: READ_WRITE.
   *
   * @param rights the protection
   * @return this
   */
  public MapRequest protection(Protection rights) {
    protection = rights;
    return this;
  }

  /**
   * The most that the protection may become. Default: READ_WRITE_EXECUTE.
   *
   * @param rights the maximum; must include the protection
   * @return this
   */
  public MapRequest maximum(Protection rights) {
    maximum = rights;
    return this;
  }

  /**
   * Stores are seen by all that map the same memory; anonymous memory is shared with children.
   *
   * @return this
   */
  public MapRequest shared() {
    shared = true;
    return this;
  }

  /**
   * The mapping is of the virtual memory of a guest that keeps its own page tables: they are in the
   * memory that is mapped, and say which of its pages is where. The offset of the request is an
   * address of that virtual memory, which has 2^47 bytes, and not of the memory. Always shared. The
   * protection should be READ_WRITE: without the right to write, accesses are not marked in the
   * tables. See {@link org.juvm.base.VirtualPte} for the format, {@link Paging#setPageTable} and
   * {@link Paging#invalidate} for changes. ({@code MAP_VPAGETABLE})
   *
   * <p>Such a mapping is accessed as any other; pages that the tables do not have give {@link
   * MemoryFault}. It cannot be wired or lent, and a child always shares it.
   *
   * @param pte the root; 0 if there is nothing yet
   * @return this
   */
  public MapRequest pageTable(long pte) {
    flags |= MapFlag.PAGE_TABLE.bit();
    root = pte;
    shared = true;
    return this;
  }

  /**
   * What a child gets at fork. Default: SHARE if {@link #shared}, else COPY.
   *
   * @param what the inheritance
   * @return this
   */
  public MapRequest inheritance(Inheritance what) {
    inheritance = what;
    return this;
  }

  /**
   * How the memory will be used. Default: NORMAL.
   *
   * @param use the advice
   * @return this
   */
  public MapRequest advice(Advice use) {
    advice = use;
    return this;
  }

  /**
   * Sets a property.
   *
   * @param flag NO_CORE, NO_SYNC, NO_FAULT or IMMUTABLE
   * @return this
   */
  public MapRequest flag(MapFlag flag) {
    if (flag == MapFlag.STACK || flag == MapFlag.USER_WIRED || flag == MapFlag.PAGE_TABLE) {
      throw new IllegalArgumentException("flag cannot be asked for like this: flag=" + flag);
    }
    flags |= flag.bit();
    return this;
  }

  /**
   * All pages are made at once, and stay resident. ({@code MAP_WIRED})
   *
   * @return this
   */
  public MapRequest wired() {
    wired = true;
    return this;
  }

  long length() {
    return length;
  }

  long offset() {
    return offset;
  }

  @Nullable Mappable memory() {
    return memory;
  }

  boolean isStack() {
    return stack;
  }

  boolean hasPageTable() {
    return (flags & MapFlag.PAGE_TABLE.bit()) != 0;
  }

  long guard() {
    return guard;
  }

  boolean isWired() {
    return wired;
  }

  boolean isAnywhere() {
    return rule == Placement.Rule.ANYWHERE;
  }

  long address() {
    return address;
  }

  long alignment() {
    return alignment;
  }

  boolean isInaccessible() {
    return protection == Protection.NONE;
  }

  boolean isMoreThanMaximum() {
    return !maximum().includes(protection);
  }

  /** The maximum that was asked for, and no more than what is mapped allows. */
  private Protection maximum() {
    return memory != null && shared ? maximum.and(memory.most()) : maximum;
  }

  /** Where, with an address that was checked and is page aligned. */
  Placement placement(long aligned) {
    return new Placement(rule, aligned, alignment);
  }

  Attributes attributes(@Nullable MemoryObject object, long firstPage) {
    Inheritance inherited = inheritance;
    if (inherited == null) {
      inherited = shared ? Inheritance.SHARE : Inheritance.COPY;
    }
    return new Attributes(
        protection,
        maximum(),
        inherited,
        advice,
        flags,
        object,
        firstPage,
        object != null && !shared,
        root);
  }
}
