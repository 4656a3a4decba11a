package org.juvm.pageout;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.juvm.page.References;
import org.juvm.pmap.Pmaps;

/**
 * Whether pages were used, as all page tables that map them know it. A frame that is mapped for an
 * access counts as used from the start. Thread-safe.
 */
final class MappedReferences implements References {
  private final Pmaps pmaps;

  /** For whoever comes first. */
  private final AtomicReference<Pmaps.@Nullable Scratch> spare =
      new AtomicReference<>(new Pmaps.Scratch());

  MappedReferences(Pmaps pmaps) {
    this.pmaps = pmaps;
  }

  @Override
  public boolean testAndClear(int frame) {
    Pmaps.Scratch scratch = scratch();
    try {
      return pmaps.clearReferenced(frame, scratch);
    } finally {
      spare.setRelease(scratch);
    }
  }

  @Override
  public boolean isReferenced(int frame) {
    Pmaps.Scratch scratch = scratch();
    try {
      return pmaps.isReferenced(frame, scratch);
    } finally {
      spare.setRelease(scratch);
    }
  }

  private Pmaps.Scratch scratch() {
    Pmaps.Scratch found = spare.getAndSet(null);
    return found != null ? found : new Pmaps.Scratch();
  }
}
