package org.juvm.cli;

/** Exit statuses of the command, where they are not those of the guest. */
final class ExitStatus {
  static final int OK = 0;

  /** Something that was checked did not hold, or output could not be written. */
  static final int FAILED = 1;

  /** The command line, or a file that it names, makes no sense. */
  static final int USAGE = 2;

  /** The guest trapped. As a shell reports SIGABRT. */
  static final int TRAPPED = 134;

  /** The guest needed more memory than it may have. As a shell reports SIGKILL. */
  static final int OUT_OF_MEMORY = 137;

  private ExitStatus() {}
}
