package org.juvm;

import org.juvm.map.VmMap;

/**
 * A part of an address space that is managed by itself. It ends with the address space.
 *
 * <p>Source: the submaps of {@code uvm_map.c} and {@code uvm_km.c}.
 */
public final class Submap extends AddressMap {
  private final Vmspace vmspace;

  Submap(Vmspace vmspace, VmMap map) {
    super(vmspace.vm(), vmspace.id(), map);
    this.vmspace = vmspace;
  }

  /**
   * The address space that this is a part of. Processors are attached to it.
   *
   * @return the whole
   */
  public Vmspace vmspace() {
    return vmspace;
  }

  /**
   * The lowest address.
   *
   * @return address, page aligned
   */
  public long start() {
    return map().minimum();
  }

  /**
   * The address after the highest.
   *
   * @return address, page aligned
   */
  public long end() {
    return map().maximum();
  }

  /**
   * Names the range.
   *
   * @return for example {@code submap 10000-20000 of vmspace 7}
   */
  @Override
  public String toString() {
    return "submap " + Long.toHexString(start()) + "-" + Long.toHexString(end()) + " of " + vmspace;
  }
}
