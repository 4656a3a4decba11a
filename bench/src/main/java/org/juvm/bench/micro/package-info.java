/** JMH benchmarks: operations that can be repeated as they are. */
package org.juvm.bench.micro;
