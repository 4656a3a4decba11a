package org.juvm.page;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.juvm.base.PageSize;
import org.juvm.ram.Ram;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/** Frames that go from owner to owner while others claim them. */
@Timeout(120)
class BusyFramesTest {
  private static final int FRAMES = 16;
  private static final int ROUNDS = 40_000;
  private static final int MINIMUM_EVICTIONS = 50;

  private final Ram ram = new Ram(FRAMES, PageSize.ofBytes(PageSize.MINIMUM_BYTES));
  private final FrameTable table = new FrameTable(ram);
  private final FrameAllocator allocator = new FrameAllocator(ram, table);
  private final PageOwners owners = new PageOwners();
  private final BusyFrames busy = new BusyFrames(table, allocator, owners);

  /** Who uses the bytes of each frame: 0 nobody, else a user. */
  private final AtomicIntegerArray users = new AtomicIntegerArray(FRAMES);

  private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final AtomicLong evictions = new AtomicLong();

  /** Pages by tag. Guarded by its lock. */
  private final class Owner implements PageOwner {
    final RankedLock lock = new RankedLock(LockRank.OBJECT);
    final Map<Integer, Integer> frames = new HashMap<>();
    int number;

    @Override
    public void lock() {
      lock.lock();
    }

    @Override
    public void unlock() {
      lock.unlock();
    }

    @Override
    public boolean owns(int frame) {
      return frames.getOrDefault(table.tag(frame), FrameTable.NONE) == frame;
    }

    @Override
    public boolean isAnonymous() {
      return true;
    }

    @Override
    public void evict(int frame) {
      frames.remove(table.tag(frame));
      evictions.incrementAndGet();
    }

    @Override
    public void write(int[] frames, int count) {}

    @Override
    public long identity(int frame) {
      return frame;
    }
  }

  private void use(int frame, int user) {
    if (!users.compareAndSet(frame, 0, user)) {
      throw new AssertionError("two use frame " + frame);
    }
    if ((table.tag(frame) & 7) == 0) {
      Thread.onSpinWait();
    }
    if (!users.compareAndSet(frame, user, 0)) {
      throw new AssertionError("somebody else has used frame " + frame);
    }
  }

  /** Whether the claimers have had their turn, too. */
  private boolean isEnough() {
    return evictions.get() >= MINIMUM_EVICTIONS || !failures.isEmpty();
  }

  /** Takes frames, uses them and gives them up, as one owner after another. */
  private void own(int user, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Owner owner = new Owner();
    owner.number = owners.register(owner);
    for (int round = 0; round < ROUNDS || !isEnough(); round++) {
      int tag = random.nextInt(5);
      int wanted = FrameTable.NONE;
      long seen = BusyFrames.NOT_BUSY;
      owner.lock();
      try {
        Integer frame = owner.frames.get(tag);
        if (frame == null) {
          int fresh = allocator.allocate(user, false, FrameAllocator.Reserve.NONE);
          if (fresh != FrameTable.NONE) {
            use(fresh, user);
            owner.frames.put(tag, fresh);
            allocator.assign(fresh, owner.number, tag, fresh, false);
          }
        } else if (random.nextInt(4) == 0) {
          owner.frames.remove(tag);
          allocator.free(user, frame);
        } else if (table.isBusy(frame)) {
          wanted = frame;
          seen = busy.want(frame);
        } else {
          use(frame, user);
          table.wire(frame);
          use(frame, user);
          allocator.unwire(user, frame);
        }
        if (random.nextInt(50) == 0) {
          for (int left : owner.frames.values()) {
            allocator.free(user, left);
          }
          owner.frames.clear();
          owners.unregister(owner.number);
          Owner next = new Owner();
          next.number = owners.register(next);
          owner.lock.unlock();
          owner = next;
          owner.lock.lock();
        }
      } finally {
        owner.unlock();
      }
      if (seen != BusyFrames.NOT_BUSY) {
        busy.await(wanted, seen);
      }
    }
    owner.lock();
    owner.frames.values().forEach(frame -> allocator.free(user, frame));
    owner.frames.clear();
    owners.unregister(owner.number);
    owner.unlock();
  }

  /** Claims whatever frame comes by, uses it without a lock and takes it away or not. */
  private void claim(int user, long seed, AtomicBoolean stop) {
    SplittableRandom random = new SplittableRandom(seed);
    while (!stop.get()) {
      int frame = random.nextInt(FRAMES);
      PageOwner owner = owners.get(table.holder(frame));
      if (owner == null) {
        continue;
      }
      owner.lock();
      boolean claimed = busy.claim(owner, frame);
      owner.unlock();
      if (!claimed) {
        continue;
      }
      use(frame, user);
      owner.lock();
      boolean owned = owner.owns(frame);
      boolean evict = owned && random.nextInt(2) == 0;
      if (evict) {
        owner.evict(frame);
      }
      owner.unlock();
      if (evict) {
        busy.endFree(user, frame);
      } else {
        busy.end(user, frame);
      }
    }
  }

  @Test
  void P2_framesRecycledBetweenOwnersWhileTheyAreClaimed() throws Exception {
    long seed = new SplittableRandom().nextLong();
    AtomicBoolean stop = new AtomicBoolean();
    List<Thread> claimers = new ArrayList<>();
    List<Thread> users = new ArrayList<>();
    for (int n = 1; n <= 2; n++) {
      int user = n;
      claimers.add(start(() -> claim(user, seed + user, stop)));
    }
    for (int n = 3; n <= 5; n++) {
      int user = n;
      users.add(start(() -> own(user, seed + user)));
    }
    for (Thread thread : users) {
      thread.join();
    }
    stop.set(true);
    for (Thread thread : claimers) {
      thread.join();
    }
    assertThat(failures).as("seed %d", seed).isEmpty();
    assertThat(allocator.freeFrames()).isEqualTo(FRAMES);
    assertThat(owners.size()).isZero();
    assertThat(evictions.get()).isGreaterThanOrEqualTo(MINIMUM_EVICTIONS);
  }

  private Thread start(Runnable work) {
    return Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                work.run();
              } catch (Throwable e) {
                failures.add(e);
              }
            });
  }
}
