package org.juvm;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.MapFlag;
import org.juvm.base.PageSize;
import org.juvm.base.Protection;
import org.juvm.map.MapEntry;
import org.juvm.map.VmMap;

/**
 * A range of an address space with equal attributes, as it was when it was asked for.
 *
 * @param start first address
 * @param end the address after the last
 * @param protection what may be done there
 * @param maximum the most that the protection may become
 * @param inheritance what a child gets of it
 * @param advice how it will be used
 * @param flags further properties
 * @param wirings how often it is wired; 0: not at all
 * @param sharedMemory whether shared memory or a file is mapped
 * @param offset bytes from the start of the shared memory or the file, or, with the flag
 *     PAGE_TABLE, from that of the guest's virtual memory; else 0
 * @param needsCopy whether it shares all its memory with another address space since a fork
 */
public record Mapping(
    long start,
    long end,
    Protection protection,
    Protection maximum,
    Inheritance inheritance,
    Advice advice,
    Set<MapFlag> flags,
    int wirings,
    boolean sharedMemory,
    long offset,
    boolean needsCopy) {

  /** Keeps a copy of the flags. */
  public Mapping {
    flags = Set.copyOf(flags);
  }

  /**
   * The size.
   *
   * @return bytes
   */
  public long length() {
    return end - start;
  }

  static List<Mapping> of(VmMap map) {
    PageSize pageSize = map.machine().pageSize();
    map.lockRead(0);
    try {
      List<Mapping> mappings = new ArrayList<>(map.entryCount());
      for (MapEntry entry = map.first(); entry != null; entry = map.next(entry)) {
        mappings.add(
            new Mapping(
                entry.start(),
                entry.end(),
                entry.protection(),
                entry.maximum(),
                entry.inheritance(),
                entry.advice(),
                flags(entry),
                entry.wirings(),
                entry.object() != null,
                pageSize.address(entry.offset()),
                entry.needsCopy()));
      }
      return mappings;
    } finally {
      map.unlockRead(0);
    }
  }

  private static Set<MapFlag> flags(MapEntry entry) {
    Set<MapFlag> flags = EnumSet.noneOf(MapFlag.class);
    for (MapFlag flag : MapFlag.values()) {
      if ((entry.flags() & flag.bit()) != 0) {
        flags.add(flag);
      }
    }
    return flags;
  }
}
