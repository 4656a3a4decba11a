package org.juvm.testkit.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.Vm;
import org.juvm.testkit.Choices;
import org.juvm.testkit.Shrinker;
import org.juvm.testkit.VmExtension;

/** Random sequences of memory calls, compared with what the host's kernel makes of them. */
@EnabledOnOs(OS.LINUX)
class KernelOracleTest {
  private static final int SEQUENCES = 4000;
  private static final int SHRINKING_ATTEMPTS = 2000;

  private final boolean locks = LinuxMemory.canLock(2);
  @RegisterExtension final VmExtension vms = new VmExtension();

  private LinuxMemory kernel;
  private LinuxMemory second;
  private final Set<Difference> met = new HashSet<>();

  @BeforeAll
  static void hasArena() {
    assumeTrue(LinuxMemory.isPossible(), "no place for an arena");
  }

  @BeforeEach
  void open() {
    kernel = new LinuxMemory(0);
    second = new LinuxMemory(1);
  }

  @AfterEach
  void close() {
    second.close();
    kernel.close();
  }

  @Test
  void linuxIsAsLinux() {
    Choices choices = Choices.fresh();
    Generator generator = new Generator(choices, locks);
    for (int i = 0; i < Choices.times(SEQUENCES / 8); i++) {
      List<Step> placed =
          generator.sequence().stream().filter(KernelOracleTest::isPlacedByItself).toList();
      check(choices, placed, List.of(), () -> second);
    }
  }

  /** The kernel puts what has no address anywhere: that is not the same twice. */
  private static boolean isPlacedByItself(Step step) {
    return step.call() != Step.Call.MREMAP
        && (step.call() != Step.Call.MMAP || step.has(Bsd.MAP_FIXED));
  }

  @Test
  void X_juvmDiffersAsInTheTable() {
    Vm vm = vms.boot();
    Choices choices = Choices.fresh();
    Generator generator = new Generator(choices, locks);
    for (int i = 0; i < Choices.times(SEQUENCES); i++) {
      check(choices, generator.sequence(), Differences.ALL, () -> new JuvmMemory(vm));
      if (i % 64 == 0) {
        assertThat(vm.audit()).as(choices.toString()).isEmpty();
      }
    }
  }

  @Test
  void systemThatFollowsBsdDiffersAsInTheTable() {
    Choices choices = Choices.fresh();
    Generator generator = new Generator(choices, locks);
    int least = Choices.times(SEQUENCES / 8);
    for (int i = 0; i < least || (locks && !met.containsAll(Differences.ALL)); i++) {
      assertThat(i).as("sequences until every entry of the table came up").isLessThan(20 * least);
      check(choices, generator.sequence(), Differences.ALL, () -> new BsdOnLinux(second));
    }
  }

  @Test
  void mistakeIsFoundAndMadeSmall() {
    Choices choices = new Choices(1);
    Generator generator = new Generator(choices, locks);
    assertThatThrownBy(
            () -> {
              for (int i = 0; i < SEQUENCES; i++) {
                check(choices, generator.sequence(), Differences.ALL, () -> new Forgetful(second));
              }
            })
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("-Djuvm.test.seed=1, shortest sequence:")
        .hasMessageContaining("MMAP(")
        .hasMessageContaining("MUNMAP(")
        .message()
        .satisfies(message -> assertThat(message.lines()).hasSize(3));
  }

  /** Runs a sequence; if it fails, says how short it can be. */
  private void check(
      Choices choices,
      List<Step> steps,
      List<Difference> differences,
      Supplier<MemoryCalls> system) {
    Throwable failure = failure(steps, differences, system);
    if (failure == null) {
      return;
    }
    List<Step> shrunk =
        Shrinker.shrink(
            steps, part -> failure(part, differences, system) != null, SHRINKING_ATTEMPTS);
    StringBuilder message = new StringBuilder(choices + ", shortest sequence:");
    shrunk.forEach(step -> message.append("\n  ").append(step));
    Throwable last = failure(shrunk, differences, system);
    throw new AssertionError(message.toString(), last == null ? failure : last);
  }

  private @Nullable Throwable failure(
      List<Step> steps, List<Difference> differences, Supplier<MemoryCalls> system) {
    MemoryCalls tested = system.get();
    try {
      new Bout(tested, kernel, differences, met).run(steps);
      return null;
    } catch (Throwable e) {
      return e;
    } finally {
      tested.empty();
      kernel.empty();
    }
  }
}
