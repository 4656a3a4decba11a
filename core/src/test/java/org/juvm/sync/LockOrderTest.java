package org.juvm.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;
import org.juvm.base.VmPanic;

/** Tests run with assertions, so locks are checked here as in every other test. */
class LockOrderTest {

  @Test
  void laterRanksMayBeTaken() {
    RankedReadWriteLock map = new RankedReadWriteLock(LockRank.MAP);
    RankedLock amap = new RankedLock(LockRank.AMAP);
    map.lockRead(3);
    amap.lock();
    assertThat(amap.isHeld()).isTrue();
    amap.unlock();
    map.unlockRead(3);
    assertThat(LockOrder.noneHeld()).isTrue();
    map.lockWrite();
    assertThat(map.isWriteHeld()).isTrue();
    map.unlockWrite();
    assertThat(LockOrder.noneHeld()).isTrue();
  }

  @Test
  void earlierAndEqualRanksPanic() {
    RankedReadWriteLock map = new RankedReadWriteLock(LockRank.MAP);
    RankedLock amap = new RankedLock(LockRank.AMAP);
    RankedLock other = new RankedLock(LockRank.AMAP);
    amap.lock();
    assertThatExceptionOfType(VmPanic.class)
        .isThrownBy(map::lockWrite)
        .withMessageContaining("taking MAP while holding AMAP");
    assertThatExceptionOfType(VmPanic.class).isThrownBy(() -> map.lockRead(0));
    assertThatExceptionOfType(VmPanic.class).isThrownBy(other::lock);
    assertThatExceptionOfType(VmPanic.class).isThrownBy(LockOrder::noneHeld);
    amap.unlock();
    map.lockWrite();
    map.unlockWrite();
  }
}
