package org.juvm;

import java.io.Serial;
import java.util.Locale;
import org.juvm.base.Access;
import org.juvm.fault.Fault;
import org.juvm.fault.FaultOutcome;

/** An access to memory that cannot be done. The memory is unchanged. */
public final class MemoryFault extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** Why an access failed. */
  public enum Reason {
    /** Nothing is mapped at the address. (SIGSEGV, SEGV_MAPERR) */
    NOT_MAPPED,
    /** The mapping does not allow the access. (SIGSEGV, SEGV_ACCERR) */
    PROTECTION,
    /** Below a stack that may not grow so far. (SIGSEGV) */
    STACK_LIMIT,
    /** In a mapping, but beyond the end of what is mapped. (SIGBUS, BUS_ADRERR) */
    BEYOND_END,
    /** The page could not be read from where it is kept. (SIGBUS, BUS_OBJERR) */
    IO_ERROR,
    /** No memory is left within the budget, and none can be made free. */
    OUT_OF_MEMORY
  }

  private final long address;
  private final Access access;
  private final Reason reason;

  static MemoryFault of(long vmspace, long address, Access access, FaultOutcome outcome) {
    Reason reason =
        switch (outcome) {
          case NOT_MAPPED -> Reason.NOT_MAPPED;
          case PROTECTION -> Reason.PROTECTION;
          case STACK_LIMIT -> Reason.STACK_LIMIT;
          case BEYOND_END -> Reason.BEYOND_END;
          case IO_ERROR -> Reason.IO_ERROR;
          case OUT_OF_MEMORY, RESOLVED -> Reason.OUT_OF_MEMORY;
        };
    return new MemoryFault(vmspace, address, access, reason);
  }

  /** A page could not be read; the cause is what a client's pager has thrown. */
  static MemoryFault unreadable(long vmspace, long address, Access access, Fault fault) {
    MemoryFault thrown = new MemoryFault(vmspace, address, access, Reason.IO_ERROR);
    Throwable failure = fault.takeFailure();
    if (failure != null) {
      Throwable _ = thrown.initCause(failure);
    }
    return thrown;
  }

  MemoryFault(long vmspace, long address, Access access, Reason reason) {
    super(
        reason.name().toLowerCase(Locale.ROOT).replace('_', ' ')
            + ": address=0x"
            + Long.toHexString(address)
            + ", access="
            + access.name().toLowerCase(Locale.ROOT)
            + ", vmspace="
            + vmspace);
    this.address = address;
    this.access = access;
    this.reason = reason;
  }

  /**
   * Where it happened.
   *
   * @return address of the first byte that could not be accessed, or of another one in its page
   */
  public long address() {
    return address;
  }

  /**
   * What was to be done.
   *
   * @return the access
   */
  public Access access() {
    return access;
  }

  /**
   * Why it could not be done.
   *
   * @return the reason
   */
  public Reason reason() {
    return reason;
  }
}
