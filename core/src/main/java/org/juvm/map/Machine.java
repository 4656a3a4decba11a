package org.juvm.map;

import java.util.concurrent.atomic.LongAdder;
import org.juvm.anon.AmapTree;
import org.juvm.anon.AnonPageIn;
import org.juvm.anon.AnonTable;
import org.juvm.base.PageSize;
import org.juvm.object.AnonymousObject;
import org.juvm.object.FileObject;
import org.juvm.object.ObjectSupport;
import org.juvm.page.BusyFrames;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.ObjectPages;
import org.juvm.page.PageOwners;
import org.juvm.pmap.Pmaps;
import org.juvm.ram.BlockPool;
import org.juvm.ram.Ram;
import org.juvm.store.PageIo;
import org.juvm.store.Store;
import org.juvm.swap.SwapSpace;
import org.juvm.trace.Counters;

/**
 * What all maps of one system share. Each part guards itself.
 *
 * @param pageSize the page size
 * @param ram the frames
 * @param frames their descriptors
 * @param allocator the free ones
 * @param busy those on their way in or out
 * @param owners who frames belong to
 * @param io moves pages in and out
 * @param swap where anonymous pages go
 * @param pmaps all page tables
 * @param anons all anons
 * @param amaps the nodes of all amaps
 * @param objectNodes the nodes of all memory objects
 * @param lent pages that are lent by raw address
 * @param loans loans of frames that have not ended
 * @param counters events outside any processor
 */
public record Machine(
    PageSize pageSize,
    Ram ram,
    FrameTable frames,
    FrameAllocator allocator,
    BusyFrames busy,
    PageOwners owners,
    PageIo io,
    SwapSpace swap,
    Pmaps pmaps,
    AnonTable anons,
    AmapTree amaps,
    BlockPool objectNodes,
    LongAdder lent,
    LongAdder loans,
    Counters counters) {

  /**
   * Makes the memory for a machine.
   *
   * @param memory bytes of memory
   * @param pageSize the page size
   * @return the frames
   */
  public static Ram ram(long memory, PageSize pageSize) {
    long frameCount = pageSize.vpn(memory);
    if (frameCount < 16 || frameCount >= 1 << 28) {
      throw new IllegalArgumentException(
          "memory must be at least 16 and less than 2^28 pages: memory="
              + memory
              + ", pageSize="
              + pageSize.bytes());
    }
    return new Ram((int) frameCount, pageSize);
  }

  /**
   * Powers up a machine.
   *
   * @param ram its memory
   * @param io moves pages in and out of it
   * @return the machine, with all frames free
   */
  public static Machine of(Ram ram, PageIo io) {
    Counters counters = new Counters();
    FrameTable frames = new FrameTable(ram);
    FrameAllocator allocator = new FrameAllocator(ram, frames);
    PageOwners owners = new PageOwners();
    BusyFrames busy = new BusyFrames(frames, allocator, owners);
    SwapSpace swap = new SwapSpace(io);
    Pmaps pmaps = new Pmaps(ram, frames, counters);
    AnonTable anons = new AnonTable(frames, allocator, owners, ram.isLarge());
    AmapTree amaps = new AmapTree(anons, ram.frames(), ram.isLarge());
    BlockPool objectNodes = ObjectPages.newPool(ram.frames(), ram.isLarge());
    return new Machine(
        ram.pageSize(),
        ram,
        frames,
        allocator,
        busy,
        owners,
        io,
        swap,
        pmaps,
        anons,
        amaps,
        objectNodes,
        new LongAdder(),
        new LongAdder(),
        counters);
  }

  /**
   * Brings pages of anons back from swap.
   *
   * @return page-ins of this machine
   */
  public AnonPageIn anonPageIn() {
    return new AnonPageIn(allocator, frames, busy, anons, swap);
  }

  /**
   * Makes a memory object without pages.
   *
   * @param size its size in bytes
   * @param pageable whether its pages may go to swap
   * @return the object, with one reference
   */
  public AnonymousObject newObject(long size, boolean pageable) {
    return new AnonymousObject(objectSupport(), size, pageable);
  }

  /**
   * Makes the object of a file, without pages.
   *
   * @param store where its bytes are; closed when the object ends
   * @param writable whether the store takes writes
   * @param size bytes in the store
   * @param keeper is told when nobody refers to the file any more
   * @return the object, with one reference
   */
  public FileObject newFile(Store store, boolean writable, long size, FileObject.Keeper keeper) {
    return new FileObject(objectSupport(), store, writable, size, keeper, counters);
  }

  /**
   * What memory objects of this machine work with.
   *
   * @return the parts that they need
   */
  public ObjectSupport objectSupport() {
    return new ObjectSupport(ram, frames, allocator, busy, owners, pmaps, objectNodes, io, swap);
  }
}
