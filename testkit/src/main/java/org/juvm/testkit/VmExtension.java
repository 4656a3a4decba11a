package org.juvm.testkit;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.juvm.Vm;

/**
 * Boots systems for a test. After the test each one that is still open is audited and closed; the
 * test fails if an audit finds anything.
 *
 * <pre>{@code
 * @RegisterExtension final VmExtension vms = new VmExtension();
 *
 * @Test
 * void something() {
 *   Vm vm = vms.boot();
 *   ...
 * }
 * }</pre>
 *
 * <p>For use by one test at a time. Other threads of the test must be done when it ends: an audit
 * is exact only while nothing changes.
 */
public final class VmExtension implements AfterEachCallback {
  private final List<Vm> booted = new ArrayList<>();

  /** An extension without systems. */
  public VmExtension() {}

  /**
   * Boots a system with 16 MiB of memory and pages of 4 KiB.
   *
   * @return the running system
   */
  public Vm boot() {
    return boot(16L << 20, 4096);
  }

  /**
   * Boots a system.
   *
   * @param memory bytes of memory
   * @param pageSize bytes in a page
   * @return the running system
   */
  public Vm boot(long memory, int pageSize) {
    Vm vm = Vm.builder().memory(memory).pageSize(pageSize).boot();
    booted.add(vm);
    return vm;
  }

  @Override
  public void afterEach(ExtensionContext context) {
    List<String> findings = new ArrayList<>();
    for (Vm vm : booted) {
      try {
        findings.addAll(vm.audit());
        vm.close();
      } catch (IllegalStateException e) {
        // The test has closed it; that leaves nothing to audit.
        assert e.getMessage() != null;
      }
    }
    booted.clear();
    if (!findings.isEmpty()) {
      throw new AssertionError("the audit found:\n" + String.join("\n", findings));
    }
  }
}
