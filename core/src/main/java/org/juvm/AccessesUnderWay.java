package org.juvm;

import java.util.Set;

/**
 * Waits until accesses that began before a moment are over.
 *
 * <p>A load that hits announces nothing. If its translation is revoked meanwhile it may still load
 * from there, and throws away what it got; see {@code docs/access-protocol.md}. That does no harm
 * where memory is never given back. Where it is, whoever gives it back must know that no such load
 * is under way.
 *
 * <p>The one trace that a load leaves is on the stack of its thread. So each thread is asked for
 * its stack: it then stands at a safepoint, sees all that was revoked before, and if no method of
 * access is on its stack, every later access looks translations up anew. A compiled access has no
 * safepoint between its look-up and its load. A thread that takes a fault starts again afterwards.
 */
final class AccessesUnderWay {
  private static final Set<String> ACCESSORS =
      Set.of(
          Cpu.class.getName(),
          Bulk.class.getName(),
          Atomics.class.getName(),
          OrderedAccess.class.getName(),
          Processor.class.getName());

  private AccessesUnderWay() {}

  /**
   * Waits for a thread. Called when what it must not use any more has been revoked. An access ends
   * by itself, so this does.
   */
  @SuppressWarnings("ThreadPriorityCheck") // that thread may need this processor to go on
  static void await(Thread thread) {
    while (!Thread.currentThread().equals(thread) && isAccessing(thread.getStackTrace())) {
      Thread.yield();
    }
  }

  private static boolean isAccessing(StackTraceElement[] stack) {
    for (StackTraceElement frame : stack) {
      if (ACCESSORS.contains(frame.getClassName())) {
        // In a fault, or in the client's own code.
        String method = frame.getMethodName();
        return !method.equals("resolve") && !method.equals("windowRun");
      }
    }
    return false;
  }
}
