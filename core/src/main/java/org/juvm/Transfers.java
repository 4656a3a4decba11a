package org.juvm;

import org.juvm.map.MapOutcome;
import org.juvm.map.Placement;
import org.juvm.map.Transfer;

/**
 * Moves memory between address spaces, or hands out snapshots of it, without copying it.
 * Thread-safe. Obtained by {@link AddressMap#transfers}.
 *
 * <p>Source: {@code uvm_map_extract}.
 */
public final class Transfers {
  private final AddressMap source;
  private final Ranges ranges;

  Transfers(AddressMap source, Ranges ranges) {
    this.source = source;
    this.ranges = ranges;
  }

  /**
   * Maps what a range shows in another address space, or in another place of the same one: as it is
   * at this moment. No page is copied before one side stores to it, except wired ones; what is
   * shared becomes private there. A mapping of shared memory, and the like, shows that memory until
   * it is stored to; device memory is shared. The time that this takes depends on the number of
   * mappings.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param target where to; of the same system
   * @return the address there, the lowest that is free
   * @throws MapException NOT_MAPPED if there is a hole, NO_SPACE, SUBMAP, LIMIT, NO_MEMORY
   * @throws IllegalStateException if one of the address spaces has ended
   */
  public long copy(long address, long length, AddressMap target) {
    return copyTo(address, length, target, Placement.LOWEST);
  }

  /**
   * As {@link #copy(long, long, AddressMap)}, at a place that is given.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param target where to; of the same system
   * @param targetAddress page aligned; nothing may be mapped there
   * @throws MapException also OCCUPIED
   */
  public void copy(long address, long length, AddressMap target, long targetAddress) {
    ranges.checkAligned(targetAddress);
    copyTo(address, length, target, new Placement(Placement.Rule.EXCLUSIVE, targetAddress, 1));
  }

  private long copyTo(long address, long length, AddressMap target, Placement placement) {
    Transfer transfer = transfer(address, length, target);
    check(transfer, transfer.copy(placement), "copy", address, length, target);
    long copied = transfer.address();
    target.wireIfWanted(false, copied, copied + ranges.checkedLength(length));
    return copied;
  }

  /**
   * Moves a range to another address space, or to another place of the same one, without copying
   * anything. It leaves its address space at one moment; from then on nobody can use it there. It
   * is not wired in its new place.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param target where to; of the same system
   * @return the address there, the lowest that is free
   * @throws MapException NOT_MAPPED if there is a hole, NO_SPACE, IMMUTABLE, WIRED, SUBMAP, LIMIT
   * @throws IllegalStateException if one of the address spaces has ended
   */
  public long move(long address, long length, AddressMap target) {
    return moveTo(address, length, target, Placement.LOWEST);
  }

  /**
   * As {@link #move(long, long, AddressMap)}, at a place that is given.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param target where to; of the same system
   * @param targetAddress page aligned; nothing may be mapped there
   * @throws MapException also OCCUPIED
   */
  public void move(long address, long length, AddressMap target, long targetAddress) {
    ranges.checkAligned(targetAddress);
    moveTo(address, length, target, new Placement(Placement.Rule.EXCLUSIVE, targetAddress, 1));
  }

  private long moveTo(long address, long length, AddressMap target, Placement placement) {
    Transfer transfer = transfer(address, length, target);
    check(transfer, transfer.move(placement), "move", address, length, target);
    return transfer.address();
  }

  private Transfer transfer(long address, long length, AddressMap target) {
    if (target.vm() != source.vm()) {
      throw new IllegalArgumentException("address space of another system: " + target);
    }
    return new Transfer(source.map(), address, ranges.checkedEnd(address, length), target.map());
  }

  private void check(
      Transfer transfer,
      MapOutcome outcome,
      String call,
      long address,
      long length,
      AddressMap target) {
    AddressMap responsible = transfer.isRefusedByTarget() ? target : source;
    responsible.check(outcome, call, address, length);
  }
}
