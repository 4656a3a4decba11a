/**
 * Loans: pages of an address space that a client reads by raw address for as long as it likes,
 * without a copy, while their owner goes on to store.
 *
 * <pre>
 *   lend              owner --&gt; frame 7 &lt;-- loan        no page table lets anybody store to frame 7
 *   owner stores      owner --&gt; frame 9     frame 7 &lt;-- loan      the loan is broken: a copy
 *   owner unmaps                            frame 7 &lt;-- loan      the loan does not notice
 *   loan ends                               frame 7 is free
 * </pre>
 *
 * <p>A loan is counted in the descriptor of the frame, so that the page daemon leaves it alone and
 * whoever gives it up does not free it. What nobody has ever touched is lent as zeros that belong
 * to the host, and takes no memory. {@link org.juvm.loan.Lender} walks over a range; how one page
 * is found, lent and broken loose is part of faults, in {@code org.juvm.fault}.
 *
 * <p>Source: {@code uvm_loan.c}. Loans to the kernel are these. A loan to another anon is what a
 * transfer between maps is; see {@code org.juvm.map.Transfer}.
 */
package org.juvm.loan;
