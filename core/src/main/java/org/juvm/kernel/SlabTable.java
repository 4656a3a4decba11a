package org.juvm.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.juvm.base.PageSize;
import org.juvm.base.VmPanic;
import org.juvm.ram.IntTable;
import org.juvm.ram.Ram;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * The slabs of one pool, by number and by the frames that they lie in. Slabs come and go with the
 * lock held; they are found without it: who has an object has got it from somebody who saw its slab
 * added.
 */
final class SlabTable {
  private final Ram ram;
  private final PageSize pageSize;

  /** The number of the slab that each frame belongs to; 0: none of this pool. */
  private final IntTable slabOfFrame;

  private final RankedLock lock = new RankedLock(LockRank.POOL);

  /** By number. Replaced when it grows; elements are written with the lock held. */
  private volatile @Nullable Slab[] slabs = new @Nullable Slab[64];

  /** Numbers in use; 0 is none. Guarded by lock. */
  private final BitSet numbers = new BitSet();

  SlabTable(Ram ram) {
    this.ram = ram;
    pageSize = ram.pageSize();
    slabOfFrame = new IntTable(ram.frames(), false);
    numbers.set(0);
  }

  void add(Slab slab) {
    lock.lock();
    try {
      slab.number = numbers.nextClearBit(1);
      numbers.set(slab.number);
      if (slab.number >= slabs.length) {
        slabs = Arrays.copyOf(slabs, slabs.length * 2);
      }
      slabs[slab.number] = slab;
    } finally {
      lock.unlock();
    }
    setFrames(slab, slab.number);
  }

  /** Takes out a slab none of whose objects is with a client or in a magazine. */
  void remove(Slab slab) {
    setFrames(slab, 0);
    lock.lock();
    try {
      slabs[slab.number] = null;
      numbers.clear(slab.number);
    } finally {
      lock.unlock();
    }
  }

  private void setFrames(Slab slab, int number) {
    int first = ram.frameOf(slab.base);
    for (long i = 0; i < pageSize.vpn(slab.bytes); i++) {
      slabOfFrame.set(first + i, number);
    }
  }

  /** The slab that a native address lies in, which may be any; null: none. */
  @Nullable Slab find(long at) {
    int frame = ram.frameOf(at);
    int number = frame < 0 ? 0 : slabOfFrame.get(frame);
    return number == 0 ? null : slabs[number];
  }

  /** The slab of an object, by {@link Slab#name name}, that is not free in it. */
  Slab of(long name) {
    Slab slab = slabs[Slab.slab(name)];
    if (slab == null) {
      throw new VmPanic("an object of a pool is in no slab: name=" + Long.toHexString(name));
    }
    return slab;
  }

  /** The slabs that there are. */
  List<Slab> all() {
    List<Slab> all = new ArrayList<>();
    lock.lock();
    try {
      for (Slab slab : slabs) {
        if (slab != null) {
          all.add(slab);
        }
      }
      return all;
    } finally {
      lock.unlock();
    }
  }
}
