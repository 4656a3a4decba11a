/**
 * The truth, computed again. {@link org.juvm.check.Audit} walks everything that can be reached from
 * the maps of a system, counts references, frames and mappings for itself, and compares them with
 * what the structures say. It changes nothing.
 */
package org.juvm.check;
