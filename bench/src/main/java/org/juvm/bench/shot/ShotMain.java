package org.juvm.bench.shot;

import org.juvm.bench.host.Figures;

/** The main class of a JVM that runs one shot: {@code ShotMain KIND SCALE}. */
public final class ShotMain {
  private static final long STACK_BYTES = 512L << 20;

  private ShotMain() {}

  /** Runs the shot and prints its figures. */
  public static void main(String[] args) throws InterruptedException {
    Shot shot = Shot.Kind.valueOf(args[0]).create();
    Scale scale = Scale.valueOf(args[1]);
    // Guests recurse deeply, so the main thread will not do.
    Thread thread =
        new Thread(
            null,
            () ->
                shot.measure(scale)
                    .forEach((name, value) -> System.out.println(Figures.line(name, value))),
            "shot",
            STACK_BYTES);
    thread.start();
    thread.join();
  }
}
