package org.juvm.testkit;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.juvm.Mapping;
import org.juvm.Vmspace;

/**
 * The entries of a map as they are, read from {@link Vmspace#show}. How private memory is divided
 * among amaps cannot be seen by a program, but some promises depend on it.
 */
final class Entries {
  private static final Pattern RANGE = Pattern.compile("  ([0-9a-f]+)-([0-9a-f]+) (.*)");
  private static final Pattern AMAP = Pattern.compile("    amap ([0-9a-f]+): .*");
  private static final Pattern OBJECT = Pattern.compile("    object ([0-9a-f]+): page=(\\d+),.*");

  private static final class Entry {
    long start;
    long end;
    String attributes = "";
    String amap = "";
    String object = "";
    long objectPage;
    boolean shared;
  }

  private final int pageSize;
  private final NavigableMap<Long, Entry> entries = new TreeMap<>();

  Entries(Vmspace space) {
    pageSize = space.vm().pageSize();
    Entry entry = new Entry();
    for (String line : space.show().lines().skip(2).toList()) {
      Matcher range = RANGE.matcher(line);
      Matcher amap = AMAP.matcher(line);
      Matcher object = OBJECT.matcher(line);
      if (range.matches()) {
        entry = new Entry();
        entry.start = Long.parseLong(range.group(1), 16) / pageSize;
        entry.end = Long.parseLong(range.group(2), 16) / pageSize;
        entry.attributes = range.group(3);
        entries.put(entry.start, entry);
      } else if (amap.matches()) {
        entry.amap = amap.group(1);
        entry.shared = line.endsWith(", shared");
      } else if (object.matches()) {
        entry.object = object.group(1);
        entry.objectPage = Long.parseLong(object.group(2));
      } else {
        throw new AssertionError("unknown line: " + line);
      }
    }
  }

  private Entry at(long page) {
    Map.Entry<Long, Entry> floor = entries.floorEntry(page);
    if (floor == null || floor.getValue().end <= page) {
      throw new AssertionError("no entry at page " + page);
    }
    return floor.getValue();
  }

  private static boolean needsCopy(Entry entry) {
    return entry.attributes.contains(" needs_copy");
  }

  /** Whether the amap of a page is one memory for several entries. */
  LongPredicate shared() {
    return page -> at(page).shared && !needsCopy(at(page));
  }

  /** Whether a page is in an amap that must not be changed, or in none. */
  LongPredicate kept() {
    return page -> at(page).amap.isEmpty() || needsCopy(at(page)) || at(page).shared;
  }

  /**
   * Whether a fork now copies wired pages at once although the entry is not wired: if the amap is
   * shared, as it is once another entry of it has been inherited shared, or lent.
   */
  LongPredicate copiedAtOnce(List<Long> lent) {
    Set<String> amaps = new HashSet<>();
    lent.forEach(page -> amaps.add(at(page).amap));
    return page -> {
      Entry entry = at(page);
      return entry.shared
          || amaps.contains(entry.amap)
          || entries.headMap(entry.start).values().stream()
              .anyMatch(
                  lower -> lower.amap.equals(entry.amap) && lower.attributes.contains(" share "));
    };
  }

  /**
   * Throws if two neighbours that have never been touched could be one entry. Those that have may
   * become alike by a fault, which joins nothing.
   */
  void checkMinimal() {
    Entry before = null;
    for (Entry entry : entries.values()) {
      if (before != null && couldBeOne(before, entry)) {
        throw new AssertionError(
            "entries could be one: "
                + Long.toHexString(before.start * pageSize)
                + " and "
                + Long.toHexString(entry.start * pageSize));
      }
      before = entry;
    }
  }

  private static boolean couldBeOne(Entry one, Entry two) {
    long pages = one.end - one.start;
    return one.end == two.start
        && one.attributes.equals(two.attributes)
        && one.object.equals(two.object)
        && (one.object.isEmpty() || one.objectPage + pages == two.objectPage)
        && one.amap.isEmpty()
        && two.amap.isEmpty();
  }

  // ---- what a program can see ----

  /** As {@link ModelSpace#layout}. */
  static List<String> layout(Vmspace real) {
    List<String> lines = new ArrayList<>();
    List<Mapping> mappings = real.mappings();
    int pageSize = real.vm().pageSize();
    for (int i = 0; i < mappings.size(); ) {
      Mapping first = mappings.get(i);
      Mapping last = first;
      for (i++; i < mappings.size() && continues(last, mappings.get(i)); i++) {
        last = mappings.get(i);
      }
      lines.add(
          Long.toHexString(first.start())
              + "-"
              + Long.toHexString(last.end())
              + " "
              + attributes(first)
              + (first.sharedMemory() ? " " + first.offset() / pageSize : ""));
    }
    return lines;
  }

  private static boolean continues(Mapping before, Mapping next) {
    return before.end() == next.start()
        && attributes(before).equals(attributes(next))
        && (!next.sharedMemory() || before.offset() + before.length() == next.offset());
  }

  private static String attributes(Mapping mapping) {
    return mapping.protection()
        + "/"
        + mapping.maximum()
        + " "
        + mapping.inheritance()
        + " "
        + mapping.advice()
        + " "
        + (mapping.flags().isEmpty() ? "[]" : EnumSet.copyOf(mapping.flags()))
        + (mapping.sharedMemory() ? " object" : "");
  }
}
