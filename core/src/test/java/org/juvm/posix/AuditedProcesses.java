package org.juvm.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.juvm.Vm;

/** Boots systems for a test of processes, and audits and closes them after it. */
final class AuditedProcesses implements AfterEachCallback {
  private final List<Vm> booted = new ArrayList<>();

  Vm boot(int frames) {
    Vm vm = Vm.builder().memory((long) frames * PosixAssertions.PAGE).boot();
    booted.add(vm);
    return vm;
  }

  @Override
  public void afterEach(ExtensionContext context) {
    for (Vm vm : booted) {
      assertThat(vm.audit()).isEmpty();
      vm.close();
    }
    booted.clear();
  }
}
