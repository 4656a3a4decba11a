package org.juvm.pageout;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.juvm.map.Machine;
import org.juvm.page.BusyFrames;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.PageOwner;
import org.juvm.page.PageOwners;
import org.juvm.page.ReplacementPolicy;
import org.juvm.pmap.Pmaps;
import org.juvm.swap.SwapSpace;
import org.juvm.trace.Counter;
import org.juvm.trace.Counters;

/**
 * One look for pages to take, as long as memory is short and the policy has something to offer.
 * Used by the daemon's thread; writes end on others.
 *
 * <p>Source: {@code uvmpd_scan_queue} of {@code uvm_pdaemon.c}.
 */
final class Scan {
  /** What came of a scan. */
  enum Result {
    /** Pages were taken. */
    PROGRESS,
    /** No page was taken, but some are being written. */
    TRANSFERS,
    /** No page was taken; one that could have been is on its way, or just was. */
    BUSY,
    /** No page can be taken. */
    NOTHING
  }

  /** Batches of pages in a row that all could not be written. */
  private static final long MAXIMUM_FRUITLESS = 2;

  private final FrameAllocator allocator;
  private final FrameTable frames;
  private final BusyFrames busy;
  private final PageOwners owners;
  private final Pmaps pmaps;
  private final SwapSpace swap;
  private final Counters counters;
  private final Writers writers;
  private final Pmaps.Scratch scratch = new Pmaps.Scratch();

  /** Pages that were claimed and are to be unmapped. */
  private final int[] batch;

  private final @Nullable PageOwner[] batchOwners;

  /** Clean pages of one owner. */
  private final int[] clean;

  private int batched;

  /** Pages freed or on their way since the scan began. */
  private int taken;

  /** A page that was busy, or NONE. */
  private int busyFrame;

  private long busySeen;

  /** Whether a page could not be taken for a reason that passes by itself. */
  private boolean contended;

  /** Whether swap had no slot for a page. */
  private boolean swapFull;

  /** How many pages had been freed when that was last seen to be more than before. */
  private long freedBefore;

  /** How many could not be written until then, or until that was last reported. */
  private long failedBefore;

  Scan(Machine machine, Runnable progress) {
    allocator = machine.allocator();
    frames = machine.frames();
    busy = machine.busy();
    owners = machine.owners();
    pmaps = machine.pmaps();
    swap = machine.swap();
    counters = machine.counters();
    int size = Math.clamp(frames.frames() / 8, 1, Cluster.MAXIMUM_PAGES);
    batch = new int[size];
    batchOwners = new @Nullable PageOwner[size];
    clean = new int[size];
    writers = new Writers(machine, progress);
  }

  /** Pages that are being written and will be free. */
  int inFlight() {
    return writers.inFlight();
  }

  void awaitSwapWrites() {
    writers.awaitSwapWrites();
  }

  void close() {
    writers.close();
  }

  /** Waits for the page that the last scan found busy. */
  void awaitBusy() {
    if (busySeen != BusyFrames.NOT_BUSY) {
      busy.await(busyFrame, busySeen);
    }
  }

  Result run() {
    counters.add(Counter.SCANS, 1);
    if (isFruitless()) {
      if (writers.inFlight() > 0) {
        return Result.TRANSFERS;
      }
      failedBefore = writers.failed();
      return Result.NOTHING;
    }
    ReplacementPolicy policy = allocator.policy();
    taken = 0;
    busyFrame = FrameTable.NONE;
    busySeen = BusyFrames.NOT_BUSY;
    contended = writers.inFlight() > 0;
    swapFull = swap.isFull();
    int wanted = Math.max(1, allocator.shortage() - writers.inFlight());
    policy.beginScan(allocator.freeForAll(), allocator.target(), swapFull);
    int looked = 0;
    boolean more = true;
    while (more && taken < wanted) {
      int victim = policy.selectVictim();
      more = victim != FrameTable.NONE;
      if (more) {
        looked++;
        if (!claim(policy, victim)) {
          policy.kept(victim);
        }
      }
      // What is taken may have to stay after all; then there may be others that need no slot.
      if (!more || batched == batch.length || taken + batched >= wanted) {
        take();
      }
    }
    counters.add(Counter.SCANNED, looked);
    if (taken > 0) {
      return Result.PROGRESS;
    }
    if (writers.inFlight() > 0) {
      return Result.TRANSFERS;
    }
    return contended ? Result.BUSY : Result.NOTHING;
  }

  /**
   * Whether what can be written only fails to be written: then to try again, and to use up slots,
   * is of no use until somebody else waits for memory.
   */
  private boolean isFruitless() {
    long freed = writers.freed();
    if (freed != freedBefore) {
      freedBefore = freed;
      failedBefore = writers.failed();
    }
    return writers.failed() - failedBefore >= MAXIMUM_FRUITLESS * batch.length;
  }

  /**
   * Makes a page busy and adds it to the batch, if it can go at all. For the policy it has left
   * then; if it stays after all, it is as if it had come back.
   */
  private boolean claim(ReplacementPolicy policy, int frame) {
    PageOwner owner = owners.get(frames.holder(frame));
    if (owner == null) {
      contended |= !frames.isPinned(frame);
      return false;
    }
    if (!owner.isPageable()) {
      return false;
    }
    if (owner.isAnonymous() ? swapFull && frames.slot(frame) == 0 : writers.areFilesBlocked()) {
      return false;
    }
    owner.lock();
    try {
      if (!busy.claim(owner, frame)) {
        contended |= !frames.isPinned(frame);
        if (frames.isBusy(frame)) {
          busySeen = busy.want(frame);
          busyFrame = frame;
        }
        return false;
      }
      policy.evicted(frame);
    } finally {
      owner.unlock();
    }
    batch[batched] = frame;
    batchOwners[batched++] = owner;
    return true;
  }

  /** Unmaps the batch, lets clean pages go and has dirty ones written. */
  private void take() {
    if (batched == 0) {
      return;
    }
    pmaps.removeFrames(batch, batched, scratch);
    int all = batched;
    letCleanGo();
    if (batched < all) {
      taken += all - batched;
      // Before this thread waits for those that write.
      writers.progress();
    }
    Cluster anonymous = null;
    Cluster file = null;
    for (int i = 0; i < batched; i++) {
      int frame = batch[i];
      PageOwner owner = Objects.requireNonNull(batchOwners[i]);
      batchOwners[i] = null;
      if (owner.isAnonymous()) {
        // A slot with old bytes is of no use, and may be the one that is needed now.
        writers.setSlot(frame, 0);
        anonymous = anonymous == null ? writers.swapCluster() : anonymous;
        anonymous.add(frame, owner);
      } else {
        if (file != null && !file.owner(0).equals(owner)) {
          write(file);
          file = null;
        }
        file = file == null ? writers.fileCluster() : file;
        if (file == null) {
          writers.keep(frame, owner);
        } else {
          file.add(frame, owner);
        }
      }
    }
    batched = 0;
    if (file != null) {
      write(file);
    }
    if (anonymous != null) {
      writeToSwap(anonymous);
    }
  }

  /** Those whose bytes are elsewhere, too, leave the batch; neighbours of one owner together. */
  private void letCleanGo() {
    int dirty = 0;
    int run = 0;
    PageOwner ownerOfRun = null;
    for (int i = 0; i < batched; i++) {
      int frame = batch[i];
      PageOwner owner = Objects.requireNonNull(batchOwners[i]);
      batchOwners[i] = null;
      if (frames.isDirty(frame) || (owner.isAnonymous() && frames.slot(frame) == 0)) {
        batch[dirty] = frame;
        batchOwners[dirty++] = owner;
      } else {
        if (ownerOfRun != null && !ownerOfRun.equals(owner)) {
          writers.letGo(clean, run, ownerOfRun);
          run = 0;
        }
        ownerOfRun = owner;
        clean[run++] = frame;
      }
    }
    if (ownerOfRun != null) {
      writers.letGo(clean, run, ownerOfRun);
    }
    batched = dirty;
  }

  private void write(Cluster cluster) {
    taken += cluster.count();
    writers.write(cluster);
  }

  /** Gives the pages slots, as consecutive as there are, as long as there are any. */
  private void writeToSwap(Cluster all) {
    for (Cluster rest = all; rest != null; ) {
      long run = swap.allocate(rest.count());
      int slots = (int) run;
      if (slots == 0) {
        swapFull = true;
        rest.keepAll();
        writers.notUsed(rest);
        return;
      }
      Cluster more = slots < rest.count() ? writers.swapCluster() : null;
      rest.assignSlots((int) (run >>> 32), slots, more);
      write(rest);
      rest = more;
    }
  }
}
