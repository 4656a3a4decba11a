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
 *     1A  read, or write by the only owner:            2B  without an object:
 *         map the anon's page                              make a zero-filled page in a new anon
 *     1B  write, and others see the anon:
 *         copy the page to a new anon first
 *
 *             1A              1B                               2B
 *   amap   [ anon ]      [ anon ] --copy--> [ new ]          [ new ] &lt;-- zeros
 *             |                               |                 |
 *   page table entry                 page table entry  page table entry
 * </pre>
 *
 * <p>{@link org.juvm.fault.FaultHandler} is the whole of it. Read its {@code resolve} first; the
 * phases are called in the order in which they stand in the file. Locks are taken in the order map
 * (for reading), amap, pmap.
 *
 * <p>Source: {@code uvm_fault.c}, whose cases these are.
 */
package org.juvm.fault;
