package org.juvm.anon;

import org.juvm.page.PageOwner;
import org.juvm.page.PageOwners;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * All amaps that share anons, or did: one lock guards them, their anons and those anons' pages, and
 * the page daemon knows them as one owner of pages.
 *
 * <p>Source: the lock that an amap shares with the source of its copy, {@code amap_copy} of {@code
 * uvm_amap.c}.
 */
final class AmapFamily implements PageOwner {
  private final RankedLock lock = new RankedLock(LockRank.AMAP);
  private final AnonTable anons;
  private final PageOwners owners;

  /** Amaps that are not gone. Guarded by lock. */
  private int members = 1;

  /** The number that frames know it by; 0 while it never had a page. Guarded by lock. */
  private int number;

  /** A family of one amap. */
  AmapFamily(AnonTable anons) {
    this.anons = anons;
    owners = anons.owners();
  }

  @Override
  public void lock() {
    lock.lock();
  }

  @Override
  public void unlock() {
    lock.unlock();
  }

  boolean isHeld() {
    return lock.isHeld();
  }

  void memberAdded() {
    assert lock.isHeld();
    members++;
  }

  /** An amap is gone, with all its anons. */
  void memberGone() {
    assert lock.isHeld();
    members--;
    if (members == 0 && number != 0) {
      owners.unregister(number);
      number = 0;
    }
  }

  /** The number for the frames of its pages. */
  int number() {
    assert lock.isHeld();
    if (number == 0) {
      number = owners.register(this);
    }
    return number;
  }

  @Override
  public boolean owns(int frame) {
    assert lock.isHeld();
    return anons.holds(frame);
  }

  @Override
  public boolean isAnonymous() {
    return true;
  }

  @Override
  public void evict(int frame) {
    assert lock.isHeld();
    anons.swappedOut(frame);
  }

  @Override
  public void write(int[] busy, int count) {
    throw new IllegalStateException("anonymous pages are written to swap");
  }

  @Override
  public long identity(int frame) {
    return anons.identity(frame);
  }
}
