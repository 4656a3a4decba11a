package org.juvm.object;

import org.juvm.page.BusyFrames;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.PageOwners;
import org.juvm.pmap.Pmaps;
import org.juvm.ram.BlockPool;
import org.juvm.ram.Ram;
import org.juvm.store.PageIo;
import org.juvm.swap.SwapSpace;

/**
 * What all memory objects of one system work with. Each part guards itself.
 *
 * @param ram the frames
 * @param frames their descriptors
 * @param allocator the free ones
 * @param busy those on their way in or out
 * @param owners registers objects that have pages
 * @param pmaps all page tables, which may map pages of objects
 * @param nodes where the nodes of {@link org.juvm.page.ObjectPages} come from
 * @param io moves pages in and out
 * @param swap where anonymous pages go
 */
public record ObjectSupport(
    Ram ram,
    FrameTable frames,
    FrameAllocator allocator,
    BusyFrames busy,
    PageOwners owners,
    Pmaps pmaps,
    BlockPool nodes,
    PageIo io,
    SwapSpace swap) {}
