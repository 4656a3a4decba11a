package org.juvm.cli;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Where guests run: compiled guest functions recurse as deeply as the guest's own code does. */
final class GuestThread {
  /** Reserved, not committed: only the part that is used takes memory of the machine. */
  private static final long STACK_BYTES = 512L << 20;

  private GuestThread() {}

  /**
   * Runs an action on a thread with a large stack and waits for it.
   *
   * @return what the action returned
   * @throws Throwable what the action threw
   */
  static <T> T call(Callable<T> action) throws Throwable {
    var result = new CompletableFuture<T>();
    var thread = new Thread(null, () -> complete(result, action), "guest", STACK_BYTES);
    thread.start();
    try {
      return result.get();
    } catch (ExecutionException e) {
      var cause = e.getCause();
      throw cause == null ? e : cause;
    }
  }

  private static <T> void complete(CompletableFuture<T> result, Callable<T> action) {
    try {
      result.complete(action.call());
    } catch (Throwable e) {
      result.completeExceptionally(e);
    }
  }
}
