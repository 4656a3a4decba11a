package org.juvm.bench.micro;

import java.util.LinkedHashMap;
import java.util.Map;
import org.juvm.bench.host.Figures;
import org.juvm.bench.host.Jvm;
import org.juvm.bench.shot.Scale;

/**
 * The main class of a JVM that runs JMH, which prints warnings and holds memory that the command
 * would rather not have: {@code MicroMain CLASS METHODS SCALE [PARAMETER=VALUE]...}.
 */
public final class MicroMain {
  private static final int PARAMETERS = 3;

  private MicroMain() {}

  /** Runs the benchmarks and prints their figures. */
  public static void main(String[] args) throws ClassNotFoundException {
    Map<String, String> parameters = new LinkedHashMap<>();
    for (int i = PARAMETERS; i < args.length; i++) {
      int equals = args[i].indexOf('=');
      parameters.put(args[i].substring(0, equals), args[i].substring(equals + 1));
    }
    new Micro(Class.forName(args[0]), args[1], parameters, Scale.valueOf(args[2]))
        .measure(Jvm.executable(), Jvm.options())
        .forEach((name, value) -> System.out.println(Figures.line(name, value)));
  }
}
