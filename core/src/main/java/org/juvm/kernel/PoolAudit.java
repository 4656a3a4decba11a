package org.juvm.kernel;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Recomputes the state of a pool from its slabs and magazines. For one use. */
final class PoolAudit {
  private final Pool pool;
  private final List<String> findings = new ArrayList<>();

  PoolAudit(Pool pool) {
    this.pool = pool;
  }

  List<String> run() {
    Set<Long> inMagazines = new HashSet<>();
    for (Stripe stripe : pool.stripes()) {
      stripe.take();
      try {
        for (int i = 0; i < stripe.magazines.length; i++) {
          addMagazine(stripe.magazines[i], i, inMagazines);
        }
      } finally {
        stripe.release();
      }
    }
    long mapped = 0;
    long used = 0;
    long free = 0;
    long idle = 0;
    for (Slab slab : pool.slabs().all()) {
      mapped += slab.bytes;
      free += slab.sizeClass < 0 ? 0 : slab.freeCount();
      idle += slab.sizeClass >= 0 && slab.isEmpty() ? slab.bytes : 0;
      for (int i = 0; i < slab.objects; i++) {
        used += check(slab, i, inMagazines);
      }
    }
    Pool.Usage usage = pool.usage();
    expect("bytes mapped by a pool", mapped, usage.mapped());
    expect("bytes of a pool in use", used, usage.used());
    long listed = 0;
    for (SizeClass each : pool.classes()) {
      listed += each.free();
    }
    expect("objects free in slabs", free, listed);
    expect("bytes of slabs without objects", idle, pool.idle());
    return findings;
  }

  private void addMagazine(Magazine magazine, int sizeClass, Set<Long> seen) {
    for (int i = 0; i < magazine.count(); i++) {
      long name = magazine.get(i);
      if (!seen.add(name)) {
        findings.add("object " + Long.toHexString(name) + " is in magazines twice");
      }
      if (pool.slabs().of(name).sizeClass != sizeClass) {
        findings.add("object " + Long.toHexString(name) + " is in a magazine of another size");
      }
    }
  }

  /** An object is in one place. Returns the bytes of it that a client has. */
  private long check(Slab slab, int i, Set<Long> inMagazines) {
    long name = slab.name(i);
    long asked = slab.asked(i);
    boolean free = slab.sizeClass >= 0 && slab.isFree(i);
    int places = (asked >= 0 ? 1 : 0) + (free ? 1 : 0) + (inMagazines.contains(name) ? 1 : 0);
    expect("places of object " + Long.toHexString(name), 1, places);
    return Math.max(0, asked);
  }

  private void expect(String what, long expected, long found) {
    if (expected != found) {
      findings.add(what + ": counted " + expected + ", recorded " + found);
    }
  }
}
