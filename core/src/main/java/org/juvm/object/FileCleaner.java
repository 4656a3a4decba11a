package org.juvm.object;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.juvm.page.BusyFrames;
import org.juvm.page.FrameTable;
import org.juvm.pmap.Pmaps;

/**
 * Writes changed pages of a file, a batch at a time. For one call of one thread.
 *
 * <p>The pages of a batch are busy and in no page table, so that a store to one of them faults and
 * waits, and marks it as changed again. No lock is held while pages are written or waited for, and
 * nothing is waited for while pages are busy; the place where the next batch starts is the index of
 * a page, which stays right whatever happens to the file meanwhile.
 *
 * <p>Source: {@code genfs_putpages}.
 */
final class FileCleaner {
  /** Pages that are looked at while the file is locked. */
  private static final int MAXIMUM_LOOKS = 512;

  private static final int PROCESSOR = 0;

  private final FileObject file;
  private final boolean invalidate;
  private final FrameTable frames;
  private final BusyFrames busy;
  private final Pmaps pmaps;
  private final Pmaps.Scratch scratch = new Pmaps.Scratch();
  private final int[] batch = new int[PageRequest.MAXIMUM_PAGES];
  private final int[] dirty = new int[PageRequest.MAXIMUM_PAGES];
  private int batched;

  /** A page that must be waited for, or NONE. */
  private int busyFrame = FrameTable.NONE;

  private long busySeen;

  FileCleaner(FileObject file, boolean invalidate) {
    this.file = file;
    this.invalidate = invalidate;
    frames = file.support.frames();
    busy = file.support.busy();
    pmaps = file.support.pmaps();
  }

  /**
   * Writes the changed pages of a range, and those that others are just writing are written, too,
   * when this returns.
   *
   * @return why a page could not be written; null if all were
   */
  @Nullable IOException run(long first, long end) {
    IOException failure = null;
    long next = first;
    while (next < end) {
      next = collect(next, end);
      if (batched > 0) {
        IOException failed = write();
        failure = failure == null ? failed : failure;
        letGo();
      } else if (busyFrame != FrameTable.NONE) {
        busy.await(busyFrame, busySeen);
      }
    }
    return failure;
  }

  /** Makes a batch busy. Returns the index of the page where the next one starts. */
  private long collect(long from, long end) {
    batched = 0;
    busyFrame = FrameTable.NONE;
    file.lock();
    try {
      long bound = Math.min(end, file.pagesIn(file.size()));
      long page = from;
      for (int looks = 0; looks < MAXIMUM_LOOKS; looks++) {
        page = file.pages.firstFrom(page);
        if (page < 0 || page >= bound) {
          return end;
        }
        int frame = file.find(page);
        if (frames.isBusy(frame)) {
          if (batched == 0) {
            busySeen = busy.want(frame);
            busyFrame = busySeen == BusyFrames.NOT_BUSY ? FrameTable.NONE : frame;
          }
          return page;
        }
        if (isWanted(frame) && busy.claimToClean(frame)) {
          batch[batched++] = frame;
          if (batched == batch.length) {
            return page + 1;
          }
        }
        page++;
      }
      return page;
    } finally {
      file.unlock();
    }
  }

  private boolean isWanted(int frame) {
    return frames.isDirty(frame)
        || (invalidate && !frames.isPinned(frame))
        || pmaps.isModified(frame, scratch);
  }

  /** Unmaps the batch and writes what was changed. */
  private @Nullable IOException write() {
    pmaps.removeFrames(batch, batched, scratch);
    int count = 0;
    for (int i = 0; i < batched; i++) {
      if (frames.isDirty(batch[i])) {
        // Before it is written: who stores to it by raw address marks it again afterwards.
        frames.markClean(batch[i]);
        dirty[count++] = batch[i];
      }
    }
    if (count == 0) {
      return null;
    }
    try {
      file.write(dirty, count);
      return null;
    } catch (IOException e) {
      for (int i = 0; i < count; i++) {
        frames.markDirty(dirty[i]);
      }
      return e;
    }
  }

  private void letGo() {
    for (int i = 0; i < batched; i++) {
      int frame = batch[i];
      if (invalidate && !frames.isDirty(frame) && !frames.isPinned(frame)) {
        file.giveUp(PROCESSOR, frame);
      } else {
        busy.end(PROCESSOR, frame);
      }
    }
  }
}
