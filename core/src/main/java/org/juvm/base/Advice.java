package org.juvm.base;

/** How a program is going to use a range, as in {@code madvise(2)}. */
public enum Advice {
  /** Nothing is known: pages near to one that is used are likely to be used. The default. */
  NORMAL,
  /** From low to high addresses, each page once. */
  SEQUENTIAL,
  /** Each page is as likely as any other. */
  RANDOM
}
