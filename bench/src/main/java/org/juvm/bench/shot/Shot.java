package org.juvm.bench.shot;

import java.util.Map;

/**
 * A measurement whose state must be prepared for each timing, so that a loop of its own fits better
 * than JMH. Runs in a JVM of its own, so that nothing else has shaped its compiled code.
 */
public interface Shot {
  /** All there are. */
  enum Kind {
    ZERO_FILL,
    COPY_ON_WRITE,
    FORK,
    SPLIT,
    SCALING,
    PAGE_IN,
    PAGE_OUT,
    OVERCOMMIT,
    POLICIES,
    LOAN,
    FOOTPRINT,
    ALLOCATION,
    RECLAIM,
    KERNEL,
    WORKLOAD_HEAP,
    WORKLOAD_VM;

    /** Makes one. */
    public Shot create() {
      return switch (this) {
        case ZERO_FILL -> new ZeroFillShot();
        case COPY_ON_WRITE -> new CopyOnWriteShot();
        case FORK -> new ForkShot();
        case SPLIT -> new SplitShot();
        case SCALING -> new ScalingShot();
        case PAGE_IN -> new PageInShot();
        case PAGE_OUT -> new PageOutShot();
        case OVERCOMMIT -> new OvercommitShot();
        case POLICIES -> new PoliciesShot();
        case RECLAIM -> new ReclaimShot();
        case LOAN -> new LoanShot();
        case FOOTPRINT -> new FootprintShot();
        case ALLOCATION -> new AllocationShot();
        case KERNEL -> new KernelShot();
        case WORKLOAD_HEAP -> new WorkloadShot(false);
        case WORKLOAD_VM -> new WorkloadShot(true);
      };
    }
  }

  /** Measures, and returns figures by name; times in nanoseconds. */
  Map<String, Double> measure(Scale scale);
}
