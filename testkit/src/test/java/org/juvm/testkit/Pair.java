package org.juvm.testkit;

import org.juvm.Vmspace;

/** A space and what it must be like. */
record Pair(Vmspace real, ModelSpace model) {}
