package org.juvm.bench.micro;

/** One thread. */
public class OneThreadAllocatorBenchmark extends AllocatorBenchmark {}
