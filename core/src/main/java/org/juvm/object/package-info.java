/**
 * Memory objects: what lies behind a mapping, below its amap, and may be behind many mappings.
 *
 * <p>An {@link org.juvm.object.AnonymousObject} is memory that has no place but itself: zeros until
 * something is stored. Named shared memory is made of it. All mappings of one object see the same
 * pages; a private mapping copies a page into its amap before the first store.
 *
 * <p>A {@link org.juvm.object.FileObject} has its pages in a file, and some of them in memory.
 * Start with its {@code bringIn}, {@code read} and {@code write}, which are a page's way in and
 * out. {@link org.juvm.object.FileCleaner} writes what was changed, {@link
 * org.juvm.object.FileWrites} keeps writes and changes of the size apart, and {@link
 * org.juvm.object.ReadAhead} guesses what will be wanted next.
 *
 * <p>A {@link org.juvm.object.PagerObject} has pages that a client reads and writes, which leave
 * memory and come back. A {@link org.juvm.object.DeviceObject} is memory that a client owns, and
 * has no pages that could be anywhere else.
 *
 * <p>An object lives as long as somebody refers to it: map entries, and the handle through which it
 * was made. Its lock guards its pages. It is taken after the lock of an amap, and before those of
 * page tables.
 *
 * <p>Source: {@code uvm_aobj.c}, {@code uvm_vnode.c}, {@code genfs_io.c}, {@code uvm_readahead.c},
 * {@code uvm_device.c}, {@code uvm_pager.h}.
 */
package org.juvm.object;
