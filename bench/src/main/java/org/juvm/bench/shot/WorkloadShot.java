package org.juvm.bench.shot;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.juvm.Vm;
import org.juvm.wasm.VmMemory;
import org.juvm.wasm.program.Workload;
import run.endive.runtime.ByteArrayMemory;
import run.endive.runtime.Memory;
import run.endive.wasm.types.MemoryLimits;

/**
 * WebAssembly programs over one kind of memory. One JVM measures one kind: where both are used,
 * compiled guest code cannot inline the accesses to either.
 */
final class WorkloadShot implements Shot {
  private static final long MEMORY = 1L << 30;

  private final boolean inVm;

  WorkloadShot(boolean inVm) {
    this.inVm = inVm;
  }

  @Override
  public Map<String, Double> measure(Scale scale) {
    if (!inVm) {
      return measure(scale, ByteArrayMemory::new);
    }
    try (Vm vm = Vm.builder().memory(MEMORY).boot()) {
      return measure(scale, limits -> VmMemory.allocate(vm, limits));
    }
  }

  private static Map<String, Double> measure(Scale scale, Function<MemoryLimits, Memory> memories) {
    Map<String, Double> figures = new LinkedHashMap<>();
    for (Workload workload : Workload.values()) {
      int size = (int) scale.pick(10, workload.fullSize() / 4, workload.fullSize());
      warmUp(workload, memories, size, scale.pick(0, 10_000_000_000L, 20_000_000_000L));
      int runs = scale.times(1, 3, 3);
      Series times = new Series();
      for (int i = 0; i < runs; i++) {
        times.add(run(workload, memories, size));
      }
      figures.put(workload.name().toLowerCase(Locale.ROOT), times.median());
    }
    return figures;
  }

  /**
   * Runs small pieces for some time, then a whole one. Large guest functions take the compiler many
   * seconds, in which a whole one would crawl through the interpreter.
   */
  private static void warmUp(
      Workload workload, Function<MemoryLimits, Memory> memories, int size, long time) {
    long start = System.nanoTime();
    while (System.nanoTime() - start < time) {
      run(workload, memories, Math.max(10, size / 40));
    }
    run(workload, memories, size);
  }

  private static double run(Workload workload, Function<MemoryLimits, Memory> memories, int size) {
    long start = System.nanoTime();
    String output = workload.run(memories, size);
    double time = (double) (System.nanoTime() - start);
    if (output.isEmpty()) {
      throw new IllegalStateException("the workload printed nothing: " + workload);
    }
    return time;
  }
}
