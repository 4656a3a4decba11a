/**
 * The host's kernel as oracle: random sequences of the calls of the {@code mmap} family are done by
 * a system under test and by Linux, and must come to the same.
 *
 * <p>Where BSD and Linux differ on purpose, {@link org.juvm.testkit.kernel.Differences} says so and
 * says how the two are compared nevertheless; what is not in that table has to be equal.
 */
@NullMarked
package org.juvm.testkit.kernel;

import org.jspecify.annotations.NullMarked;
