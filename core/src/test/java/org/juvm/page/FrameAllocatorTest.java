package org.juvm.page;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.juvm.base.PageSize;
import org.juvm.ram.Ram;

/** When memory is short, and who is told. */
class FrameAllocatorTest {
  private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[32 * 4096]);

  private int kicks;
  private int freed;
  private final List<Integer> slots = new ArrayList<>();

  private FrameAllocator allocator(int frames, FrameTable table, Ram ram) {
    FrameAllocator allocator = new FrameAllocator(ram, table);
    allocator.connect(
        new NoPolicy(),
        new Reclaimer() {
          @Override
          public boolean isAble() {
            return true;
          }

          @Override
          public void kick() {
            kicks++;
          }

          @Override
          public boolean await(FrameAllocator.Reserve depth) {
            return false;
          }

          @Override
          public void freed() {
            freed++;
          }
        },
        slots::add);
    assertThat(allocator.freeFrames()).isEqualTo(frames);
    return allocator;
  }

  @Test
  void allocateRun_whatCameLast_isFoundAndZeroed() {
    Ram ram = new Ram(1024, PageSize.ofBytes(4096));
    FrameTable table = new FrameTable(ram);
    FrameAllocator allocator = allocator(1024, table, ram);
    int first = allocator.allocateRun(32, FrameAllocator.Reserve.NONE);
    int other = allocator.allocateRun(16, FrameAllocator.Reserve.NONE);
    for (int frame = first; frame < first + 32; frame++) {
      MemorySegment page = ram.segment().asSlice(frame * 4096L, 4096);
      page.fill((byte) 1);
      allocator.free(0, frame);
    }
    int again = allocator.allocateRun(32, FrameAllocator.Reserve.NONE);
    assertThat(again).isEqualTo(first);
    assertThat(ram.segment().asSlice(again * 4096L, 32 * 4096L).mismatch(ZEROS)).isEqualTo(-1);
    assertThat(other < first || other >= first + 32).isTrue();
  }

  /** Offers nothing. */
  private static final class NoPolicy implements ReplacementPolicy {
    private final Set<Integer> enqueued = new HashSet<>();

    @Override
    public void enqueue(int frame, long identity, boolean file) {
      enqueued.add(frame);
    }

    @Override
    public void dequeue(int frame) {
      enqueued.remove(frame);
    }

    @Override
    public void activate(int frame) {}

    @Override
    public void deactivate(int frame) {}

    @Override
    public void beginScan(int free, int freeTarget, boolean swapFull) {}

    @Override
    public int selectVictim() {
      return NONE;
    }

    @Override
    public void evicted(int frame) {}

    @Override
    public void kept(int frame) {}

    @Override
    public void forget(long identity) {}

    @Override
    public boolean isEnqueued(int frame) {
      return enqueued.contains(frame);
    }

    @Override
    public boolean isActive(int frame) {
      return false;
    }

    @Override
    public int activePages() {
      return enqueued.size();
    }

    @Override
    public int inactivePages() {
      return 0;
    }
  }

  /** No kick before memory is short, the reserve for the system only, and all back in the end. */
  @ParameterizedTest
  @ValueSource(ints = {16, 31, 64, 1000, 8192, 20000})
  void P1_thresholds(int frames) {
    Ram ram = new Ram(frames, PageSize.ofBytes(PageSize.MINIMUM_BYTES));
    FrameTable table = new FrameTable(ram);
    FrameAllocator allocator = allocator(frames, table, ram);
    int target = allocator.target();
    assertThat(allocator.shortage()).isEqualTo(target - frames);
    List<Integer> taken = new ArrayList<>();
    int before = frames;
    while (true) {
      int frame =
          taken.size() % 3 == 0
              ? allocator.allocateBusy(taken.size())
              : allocator.allocate(taken.size(), false, FrameAllocator.Reserve.NONE);
      if (frame == FrameTable.NONE) {
        break;
      }
      if (before > target) {
        assertThat(kicks).as("kicks with %d free for all", before).isZero();
      }
      before = allocator.freeForAll();
      taken.add(frame);
      assertThat(allocator.freeFrames()).isEqualTo(frames - taken.size());
    }
    assertThat(kicks).isPositive();
    assertThat(allocator.hasFree(FrameAllocator.Reserve.NONE)).isFalse();
    int reserve = allocator.freeFrames();
    // The last one may have been for a page that was to come in.
    int left = Math.max(2, Math.min(16, frames / 64));
    assertThat(reserve).isBetween(left - 1, left);
    for (int i = 0; i < reserve; i++) {
      int frame = allocator.allocate(0, false, FrameAllocator.Reserve.KERNEL);
      assertThat(frame).isNotEqualTo(FrameTable.NONE);
      taken.add(frame);
    }
    assertThat(allocator.allocate(0, false, FrameAllocator.Reserve.KERNEL))
        .isEqualTo(FrameTable.NONE);
    assertThat(new HashSet<>(taken)).hasSize(frames);
    assertThat(freed).isZero();
    BusyFrames busy = new BusyFrames(table, allocator, new PageOwners());
    for (int frame : taken) {
      table.setSlot(frame, frame + 1);
      if (table.isBusy(frame)) {
        // Whoever gives it up does not wait; its slot goes with it.
        allocator.free(0, frame);
        assertThat(table.isReleased(frame)).isTrue();
        busy.end(0, frame);
      } else {
        allocator.free(frame, frame);
      }
      assertThat(allocator.isFree(frame)).isTrue();
    }
    assertThat(slots).hasSize(frames).doesNotHaveDuplicates();
    assertThat(allocator.freeFrames()).isEqualTo(frames);
    assertThat(allocator.hasFree(FrameAllocator.Reserve.NONE)).isTrue();
    assertThat(freed).isGreaterThanOrEqualTo(frames);
  }
}
