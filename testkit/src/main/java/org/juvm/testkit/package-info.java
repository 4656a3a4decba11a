/**
 * What tests of Juvm and of programs on it need.
 *
 * <p>{@link org.juvm.testkit.VmExtension} boots systems and audits them after each test. {@link
 * org.juvm.testkit.ModelSpace} says what an address space must look like after any sequence of
 * operations, by doing them in the most stupid way. {@link org.juvm.testkit.Choices} makes random
 * decisions that can be repeated, and {@link org.juvm.testkit.Shrinker} makes a failing sequence
 * short.
 *
 * <p>Two system properties rule all of it: {@code juvm.test.scale} multiplies the number of
 * repetitions, and {@code juvm.test.seed} repeats a run whose seed a failure has printed.
 */
package org.juvm.testkit;
