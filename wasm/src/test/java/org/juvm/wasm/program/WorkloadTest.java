package org.juvm.wasm.program;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.juvm.wasm.VmMemory;
import org.juvm.wasm.WithVm;
import run.endive.runtime.ByteArrayMemory;

class WorkloadTest extends WithVm {
  @ParameterizedTest
  @EnumSource
  void theOutputIsTheSameAsUnderTheEnginesOwnMemory(Workload workload) {
    int size = 50;
    var expected = onLargeStack(() -> workload.run(ByteArrayMemory::new, size));
    var actual = onLargeStack(() -> workload.run(limits -> VmMemory.allocate(vm, limits), size));
    assertThat(actual).isEqualTo(expected).isNotBlank();
  }
}
