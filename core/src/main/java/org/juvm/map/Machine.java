package org.juvm.map;

import java.util.concurrent.atomic.LongAdder;
import org.juvm.anon.AmapTree;
import org.juvm.anon.AnonTable;
import org.juvm.base.PageSize;
import org.juvm.object.AnonymousObject;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.ResidentPages;
import org.juvm.pmap.Pmaps;
import org.juvm.ram.BlockPool;
import org.juvm.ram.Ram;
import org.juvm.trace.Counters;

/**
 * What all maps of one system share. Each part guards itself.
 *
 * @param pageSize the page size
 * @param ram the frames
 * @param frames their descriptors
 * @param allocator the free ones
 * @param pmaps all page tables
 * @param anons all anons
 * @param amaps the nodes of all amaps
 * @param objectNodes the nodes of all memory objects
 * @param lent pages that are lent by raw address
 * @param counters events outside any processor
 */
public record Machine(
    PageSize pageSize,
    Ram ram,
    FrameTable frames,
    FrameAllocator allocator,
    Pmaps pmaps,
    AnonTable anons,
    AmapTree amaps,
    BlockPool objectNodes,
    LongAdder lent,
    Counters counters) {

  /**
   * Powers up a machine.
   *
   * @param memory bytes of memory
   * @param pageSize the page size
   * @return the machine, with all frames free
   */
  public static Machine of(long memory, PageSize pageSize) {
    long frameCount = pageSize.vpn(memory);
    if (frameCount < 16 || frameCount >= 1 << 28) {
      throw new IllegalArgumentException(
          "memory must be at least 16 and less than 2^28 pages: memory="
              + memory
              + ", pageSize="
              + pageSize.bytes());
    }
    Counters counters = new Counters();
    Ram ram = new Ram((int) frameCount, pageSize);
    FrameTable frames = new FrameTable(ram);
    FrameAllocator allocator = new FrameAllocator(ram, frames);
    Pmaps pmaps = new Pmaps(ram, counters);
    AnonTable anons = new AnonTable(frames, allocator, ram.isLarge());
    AmapTree amaps = new AmapTree(anons, ram.frames(), ram.isLarge());
    BlockPool objectNodes = ResidentPages.newPool(ram.frames(), ram.isLarge());
    return new Machine(
        pageSize,
        ram,
        frames,
        allocator,
        pmaps,
        anons,
        amaps,
        objectNodes,
        new LongAdder(),
        counters);
  }

  /**
   * Makes a memory object without pages.
   *
   * @param size its size in bytes
   * @return the object, with one reference
   */
  public AnonymousObject newObject(long size) {
    return new AnonymousObject(ram, frames, allocator, pmaps, objectNodes, size);
  }
}
