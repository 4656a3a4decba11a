package org.juvm.store;

import java.io.IOException;
import java.io.Serial;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Platform threads that do transfers for those who must not do them themselves. No client knows
 * these threads, so nobody interrupts them. They come when needed and go when idle; there is one
 * set for the process. Thread-safe.
 */
final class IoThreads {
  /** As many transfers at a time as a fast disk does in parallel. */
  private static final int THREADS = 32;

  private static final int IDLE_SECONDS = 10;

  private static final ThreadPoolExecutor POOL = start();

  private IoThreads() {}

  /** What is to be done. */
  interface Work {
    /** Does it; the number is its result. */
    long run() throws IOException;
  }

  private static final class Task extends CompletableFuture<@Nullable Void> implements Runnable {
    private final Work work;

    /** Both are written before the task completes, and read after. */
    private long result;

    private @Nullable Throwable failure;

    Task(Work work) {
      this.work = work;
    }

    @Override
    public void run() {
      try {
        result = work.run();
      } catch (Throwable e) {
        failure = e;
      }
      complete(null);
    }
  }

  /** An error of another thread: that of the transfer is its cause. */
  private static final class TransferException extends IOException {
    @Serial private static final long serialVersionUID = 1L;

    TransferException(IOException cause) {
      super(cause.getMessage(), cause);
    }
  }

  /**
   * Has something done and waits for it, whatever interrupts come meanwhile; they are kept.
   *
   * @return its result
   */
  static long call(Work work) throws IOException {
    Task task = new Task(work);
    POOL.execute(task);
    var _ = task.join();
    return switch (task.failure) {
      case null -> task.result;
      case IOException e -> throw new TransferException(e);
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new AssertionError(e);
    };
  }

  private static ThreadPoolExecutor start() {
    ThreadFactory factory =
        Thread.ofPlatform()
            .name("juvm-io-", 0)
            .daemon()
            .inheritInheritableThreadLocals(false)
            .factory();
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            THREADS, THREADS, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory);
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }
}
