/**
 * Page faults: what happens when a processor's access finds no translation.
 *
 * <p>A fault belongs to one of these cases. The upper layer of a mapping is its amap, the lower
 * layer the object behind it; a mapping without an object is filled with zeros.
 *
 * <pre>
 *   case 0   nothing is mapped there, or the right is missing: the access fails
 *
 *   case 1   there is an anon                        case 2   there is no anon
 *     1A  read, or write by the only owner:            2A  shared mapping of an object, or read:
 *         map the anon's page                              map the object's page
 *     1B  write, and others see the anon:              2B  private mapping, and write:
 *         copy the page to a new anon first                copy the object's page to a new anon,
 *                                                          or zeros if there is no object
 *
 *             1A              1B                    2A                2B
 *   amap   [ anon ]      [ anon ] --copy--&gt; [ new ]                         [ new ]
 *             |                               |                               |  ^
 *   object    |                               |       [ page ]     [ page ] --|--+ copy
 *             |                               |          |                    |
 *   page table entry                page table entry   page table entry   page table entry
 * </pre>
 *
 * <p>{@link org.juvm.fault.FaultHandler} is the whole of it. Read its {@code resolve} first; the
 * phases are called in the order in which they stand in the file. Locks are taken in the order map
 * (for reading), amap, object, pmap. What cannot be done with the map locked for reading is an
 * obstacle: an amap is missing, a stack must grow, a submap is responsible. It is overcome without
 * the lock, and the fault starts again.
 *
 * <p>An object may contain page tables of a guest, and a mapping of it be one of the guest's
 * virtual memory. Then {@code NestedWalk} finds the page of the object first, which is otherwise at
 * the place that the mapping says; from there on it is case 2A.
 *
 * <p>A page on loan is not to be stored to: {@code Loans} says how it is lent, and what a fault
 * does that wants to store to it.
 *
 * <p>{@link org.juvm.fault.Wirer} wires mappings, which is faulting them in for good.
 *
 * <p>Source: {@code uvm_fault.c}, whose cases these are.
 */
package org.juvm.fault;
