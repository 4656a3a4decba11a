/** A model to compare Juvm with, generators of operations, and an audit after each test. */
package org.juvm.testkit;
