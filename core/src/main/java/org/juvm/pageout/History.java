package org.juvm.pageout;

import org.juvm.ram.IntTable;
import org.juvm.ram.LongTable;

/**
 * Pages that have left memory, found by their identity: a hash table outside the heap, of a fixed
 * number of entries that are numbered from zero. Guarded by its user's lock.
 */
final class History {
  /** No entry. */
  static final int NONE = -1;

  private static final int AVERAGE_CHAIN = 2;

  /** Identity of each entry that is used. */
  private final LongTable identity;

  /** Per bucket: 1 + its first entry, or 0. */
  private final IntTable bucket;

  /** Per entry: 1 + the next one of its bucket or of the free entries, or 0. */
  private final IntTable next;

  private final int buckets;

  /** 1 + the first free entry that was used before, or 0. */
  private int firstFree;

  /** Entries from this number on were never used. */
  private int firstVirgin;

  /** An empty history. */
  History(int entries) {
    identity = new LongTable(entries, false);
    next = new IntTable(entries, false);
    buckets = Integer.highestOneBit(Math.max(1, entries / AVERAGE_CHAIN));
    bucket = new IntTable(buckets, false);
  }

  /** Remembers a page that is not in here, in an entry that must be free. Returns the entry. */
  int add(long page) {
    int entry;
    if (firstFree != 0) {
      entry = firstFree - 1;
      firstFree = next.get(entry);
    } else {
      entry = firstVirgin++;
    }
    identity.set(entry, page);
    int at = bucketOf(page);
    next.set(entry, bucket.get(at));
    bucket.set(at, entry + 1);
    return entry;
  }

  /** The entry of a page, or NONE. */
  int find(long page) {
    int entry = bucket.get(bucketOf(page)) - 1;
    while (entry != NONE && identity.get(entry) != page) {
      entry = next.get(entry) - 1;
    }
    return entry;
  }

  /** Forgets the page of an entry. */
  void remove(int entry) {
    int at = bucketOf(identity.get(entry));
    if (bucket.get(at) == entry + 1) {
      bucket.set(at, next.get(entry));
    } else {
      int before = bucket.get(at) - 1;
      while (next.get(before) != entry + 1) {
        before = next.get(before) - 1;
      }
      next.set(before, next.get(entry));
    }
    next.set(entry, firstFree);
    firstFree = entry + 1;
  }

  /** Fibonacci hashing. */
  private int bucketOf(long page) {
    return (int) ((page * 0x9e3779b97f4a7c15L) >>> 33) & (buckets - 1);
  }
}
