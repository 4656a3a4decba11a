/**
 * Simulation of page replacement.
 *
 * <p>A {@link org.juvm.sim.Trace} is the pages that a program referred to, one after the other. A
 * {@link org.juvm.sim.Replay} gives it some frames and counts how often the page was there: under
 * one of the policies that a live system uses, run through the port that its page daemon uses, or
 * under one of two yardsticks that no live system can have, the optimum and exact LRU.
 */
package org.juvm.sim;
