package org.juvm;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.juvm.anon.AnonTable;
import org.juvm.check.Audit;
import org.juvm.map.VmMap;
import org.juvm.object.MemoryObject;
import org.juvm.pageout.PageDaemon;

/** Brings a system to rest and audits it. */
final class SystemAudit {
  private static final int AUDITS_WHILE_WRITING = 100;

  private final Vm vm;

  SystemAudit(Vm vm) {
    this.vm = vm;
  }

  List<String> run() {
    List<VmMap> maps = vm.maps();
    List<AnonTable.Magazine> magazines = vm.cpus().magazines();
    PageDaemon daemon = vm.daemon();
    AtomicReference<List<String>> findings = new AtomicReference<>(List.of());
    vm.files().awaitLater();
    // Pages of files that were given up while they were being written are free when that ends,
    // which nobody can wait for if it is a client's pager that writes.
    AtomicBoolean writing = new AtomicBoolean();
    int again = 0;
    do {
      daemon.whileQuiet(
          () -> {
            writing.set(daemon.isWriting());
            vm.files().awaitTransfers();
            List<String> found = new ArrayList<>(vm.kernelSpace().audit());
            found.addAll(new Audit(vm.machine()).run(maps, magazines, objectReferences()));
            findings.set(found);
          });
      again++;
    } while (writing.get() && again < AUDITS_WHILE_WRITING && !findings.get().isEmpty());
    return findings.get();
  }

  /** An element for each reference to an object that is not by a mapping. */
  private List<MemoryObject> objectReferences() {
    List<MemoryObject> all = new ArrayList<>(vm.sharedMemory().references());
    all.addAll(vm.files().references());
    all.addAll(vm.handles().references());
    all.addAll(vm.pages().references());
    all.addAll(vm.kernelSpace().references());
    return all;
  }
}
