package org.juvm.cli;

import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.juvm.Vm;
import org.juvm.base.Replacement;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How large the system is that a program runs in, and what it does when its memory is full. */
final class SystemOptions {
  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      defaultValue = "1g",
      converter = MemorySize.Converter.class,
      description = "Memory that the program may use, like 64m or 1g. Default: ${DEFAULT-VALUE}.")
  private MemorySize memory = new MemorySize(0);

  @Option(
      names = "--swap",
      paramLabel = "SIZE",
      converter = MemorySize.Converter.class,
      description = "How much more may go to a temporary file. Default: nothing.")
  private @Nullable MemorySize swap;

  @Option(names = "--encrypt", description = "What goes to the file is encrypted.")
  private boolean encrypted;

  @Option(
      names = "--replacement",
      paramLabel = "POLICY",
      defaultValue = "two-queue",
      converter = PolicyConverter.class,
      description =
          "Which page goes: two-queue, clock, clock-pro or adaptive-clock-pro. Default:"
              + " ${DEFAULT-VALUE}.")
  private Replacement replacement = Replacement.TWO_QUEUE;

  SystemOptions() {}

  /** Reads names of policies for picocli. */
  static final class PolicyConverter implements ITypeConverter<Replacement> {
    PolicyConverter() {}

    @Override
    public Replacement convert(String text) {
      for (var policy : Replacement.values()) {
        if (name(policy).equals(text)) {
          return policy;
        }
      }
      throw new TypeConversionException(
          "not one of %s: '%s'"
              .formatted(
                  Arrays.stream(Replacement.values())
                      .map(PolicyConverter::name)
                      .collect(Collectors.joining(", ")),
                  text));
    }

    private static String name(Replacement policy) {
      return policy.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** How much the program may use, in words. */
  String budget() {
    return swap == null
        ? MemorySize.format(memory.bytes())
        : MemorySize.format(memory.bytes()) + " and swap of " + MemorySize.format(swap.bytes());
  }

  /** Starts a system like that. */
  Vm boot() {
    Vm vm;
    try {
      vm = Vm.builder().memory(memory.bytes()).replacement(replacement).boot();
    } catch (IllegalArgumentException | OutOfMemoryError e) {
      throw Failure.usage("--memory: " + e.getMessage());
    }
    try {
      if (swap != null) {
        vm.swap().addTemporary(swap.bytes(), 0, encrypted);
      }
      return vm;
    } catch (IllegalArgumentException | IllegalStateException | UncheckedIOException e) {
      vm.close();
      throw Failure.usage("--swap: " + e.getMessage());
    }
  }
}
