package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.juvm.Cpu;
import org.juvm.KernelMap;
import org.juvm.MapException;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.base.KernelFlag;

/**
 * What a map of the kernel should have: for each page its kind and its bytes. Does random
 * operations to both and compares. For one thread, to which the map belongs.
 */
final class KernelMapModel {
  private static final int MAXIMUM_DEPTH = 3;
  private static final int MAXIMUM_CHILDREN = 4;
  private static final int MAXIMUM_PAGES = 8;

  /** What is at an address. */
  private enum Kind {
    ON_DEMAND,
    WIRED,
    RESERVED
  }

  /** A page. */
  private static final class Page {
    Kind kind;

    /** What its first word holds; null: anything. */
    Long value = 0L;

    /** Whether it has a frame. */
    boolean made;

    Page(Kind kind) {
      this.kind = kind;
      made = kind == Kind.WIRED;
    }
  }

  /** A map. */
  private final class Node {
    final KernelMap map;
    final int depth;
    final TreeMap<Long, Page> pages = new TreeMap<>();
    final List<Node> children = new ArrayList<>();

    Node(KernelMap map, int depth) {
      this.map = map;
      this.depth = depth;
    }

    Node child(long address) {
      for (Node child : children) {
        if (child.map.start() <= address && address < child.map.end()) {
          return child;
        }
      }
      return null;
    }

    boolean isFree(long address) {
      return !pages.containsKey(address) && child(address) == null;
    }

    /** The lowest place with so many free pages, or -1. */
    long place(int count) {
      long start = map.start();
      for (long at = start; at < map.end(); at += pageSize) {
        Node child = child(at);
        if (child != null) {
          at = child.map.end() - pageSize;
          start = at + pageSize;
        } else if (pages.containsKey(at)) {
          start = at + pageSize;
        } else if (at + pageSize - start == count * pageSize) {
          return start;
        }
      }
      return -1;
    }

    boolean isAll(long at, int count, Kind kind) {
      for (int i = 0; i < count; i++) {
        Page page = pages.get(at + i * pageSize);
        if (page == null || page.kind != kind) {
          return false;
        }
      }
      return true;
    }

    long frames() {
      long made = pages.values().stream().filter(page -> page.made).count();
      return made + children.stream().mapToLong(Node::frames).sum();
    }

    long bytes() {
      long inside = 0;
      for (Node child : children) {
        inside += child.map.end() - child.map.start();
      }
      return pages.size() * pageSize + inside;
    }

    void check() {
      require(bytes(), map.mappedBytes(), "bytes of " + map);
      children.forEach(Node::check);
    }
  }

  private final Vm vm;
  private final long pageSize;
  private final Choices choices;
  private final Cpu cpu;

  /** Whether memory may be lacking at any time. */
  private final boolean little;

  private final Node root;
  private long stored;
  private long refused;

  /** A model of a map in which nothing is. */
  KernelMapModel(KernelMap map, Cpu cpu, Choices choices, boolean little) {
    vm = map.vm();
    pageSize = vm.pageSize();
    this.choices = choices;
    this.cpu = cpu;
    this.little = little;
    root = new Node(map, 0);
  }

  /** How often there was no memory. */
  long refused() {
    return refused;
  }

  /** How many frames the map has. */
  long frames() {
    return root.frames();
  }

  private static void require(Object expected, Object found, String what) {
    if (!Objects.equals(expected, found)) {
      throw new AssertionError(what + ": expected " + expected + ", found " + found);
    }
  }

  /** Does one operation. */
  void step() {
    Node node = root;
    while (!node.children.isEmpty() && choices.below(3) != 0) {
      node = choices.pick(node.children);
    }
    switch (choices.below(16)) {
      case 0, 1 -> allocateWired(node);
      case 2, 3 -> allocateOnDemand(node);
      case 4 -> reserve(node);
      case 5 -> populate(node);
      case 6 -> depopulate(node);
      case 7, 8 -> free(node);
      case 9 -> submap(node);
      case 10 -> {
        if (!node.children.isEmpty() && choices.oneIn(3)) {
          Node child = node.children.remove(choices.below(node.children.size()));
          child.map.close();
          child.map.close();
        }
      }
      case 11, 12, 13 -> store(node);
      default -> load(node);
    }
  }

  /** Compares everything. */
  void check() {
    root.check();
    checkPages(root);
  }

  private void checkPages(Node node) {
    for (Map.Entry<Long, Page> each : node.pages.entrySet()) {
      load(each.getKey(), each.getValue());
    }
    node.children.forEach(this::checkPages);
  }

  /** Frees everything that is in the map. */
  void clear() {
    for (Node child : root.children) {
      child.map.close();
    }
    root.children.clear();
    for (Long at : List.copyOf(root.pages.keySet())) {
      root.map.free(at, pageSize);
    }
    root.pages.clear();
  }

  /** A call, and why it was refused; null: it was not. */
  private static MapException.Reason reason(Runnable call) {
    try {
      call.run();
      return null;
    } catch (MapException e) {
      return e.reason();
    }
  }

  private KernelFlag[] flags() {
    List<KernelFlag> flags = new ArrayList<>();
    for (KernelFlag flag :
        List.of(KernelFlag.ZERO, KernelFlag.CONTIGUOUS, KernelFlag.NO_WAIT, KernelFlag.TRY_LOCK)) {
      if (choices.oneIn(4)) {
        flags.add(flag);
      }
    }
    return flags.toArray(new KernelFlag[0]);
  }

  /** Whether memory was lacking, which is all right where there is little. */
  private boolean isLacking(MapException.Reason reason) {
    if (!little || reason != MapException.Reason.NO_MEMORY) {
      return false;
    }
    refused++;
    return true;
  }

  private void allocateWired(Node node) {
    int count = choices.between(1, MAXIMUM_PAGES);
    KernelFlag[] flags = flags();
    List<KernelFlag> given = List.of(flags);
    long[] at = new long[1];
    MapException.Reason reason = reason(() -> at[0] = node.map.allocate(bytes(count), flags));
    if (isLacking(reason)) {
      return;
    }
    if (add(node, count, reason, at[0], Kind.WIRED)
        && !given.contains(KernelFlag.ZERO)
        && !given.contains(KernelFlag.CONTIGUOUS)) {
      forget(node, at[0], count);
    }
  }

  private void forget(Node node, long at, int count) {
    for (int i = 0; i < count; i++) {
      node.pages.get(at + i * pageSize).value = null;
    }
  }

  /** A number of bytes for which it takes so many pages. */
  private long bytes(int count) {
    return count * pageSize - choices.below(pageSize);
  }

  private void allocateOnDemand(Node node) {
    int count = choices.between(1, MAXIMUM_PAGES);
    long[] at = new long[1];
    MapException.Reason reason = reason(() -> at[0] = node.map.allocateOnDemand(bytes(count)));
    if (node.map.isPageable()) {
      boolean _ = add(node, count, reason, at[0], Kind.ON_DEMAND);
    } else {
      require(MapException.Reason.NO_ACCESS, reason, "on demand");
    }
  }

  private void reserve(Node node) {
    int count = choices.between(1, MAXIMUM_PAGES);
    long[] at = new long[1];
    MapException.Reason reason = reason(() -> at[0] = node.map.reserve(bytes(count)));
    boolean _ = add(node, count, reason, at[0], Kind.RESERVED);
  }

  private boolean add(Node node, int count, MapException.Reason reason, long at, Kind kind) {
    long place = node.place(count);
    if (place < 0) {
      require(MapException.Reason.NO_SPACE, reason, "no place for " + count);
      return false;
    }
    require(null, reason, kind + " of " + count);
    require(place, at, "place of " + count);
    for (int i = 0; i < count; i++) {
      node.pages.put(at + i * pageSize, new Page(kind));
    }
    return true;
  }

  private long any(Node node, int count) {
    long pages = (node.map.end() - node.map.start()) / pageSize;
    Long key = node.pages.ceilingKey(node.map.start() + choices.below(pages) * pageSize);
    long at =
        key == null || choices.oneIn(4)
            ? node.map.start() + choices.below(pages) * pageSize
            : key - choices.below(2) * pageSize;
    return Math.clamp(at, node.map.start(), node.map.end() - count * pageSize);
  }

  private int count(Node node) {
    return choices.between(
        1, (int) Math.min(MAXIMUM_PAGES, (node.map.end() - node.map.start()) / pageSize));
  }

  private void populate(Node node) {
    int count = count(node);
    long at = any(node, count);
    KernelFlag[] flags = flags();
    MapException.Reason reason = reason(() -> node.map.populate(at, bytes(count), flags));
    boolean expected = node.isAll(at, count, Kind.RESERVED);
    if (expected && isLacking(reason)) {
      return;
    }
    require(expected ? null : MapException.Reason.NOT_MAPPED, reason, "populate");
    if (expected) {
      for (int i = 0; i < count; i++) {
        node.pages.put(at + i * pageSize, new Page(Kind.WIRED));
      }
      forget(node, at, count);
    }
  }

  private void depopulate(Node node) {
    int count = count(node);
    long at = any(node, count);
    MapException.Reason reason = reason(() -> node.map.depopulate(at, bytes(count)));
    boolean expected = node.isAll(at, count, Kind.WIRED);
    require(expected ? null : MapException.Reason.NOT_MAPPED, reason, "depopulate");
    if (expected) {
      for (int i = 0; i < count; i++) {
        node.pages.put(at + i * pageSize, new Page(Kind.RESERVED));
      }
    }
  }

  private void free(Node node) {
    int count = count(node);
    long at = any(node, count);
    MapException.Reason expected = null;
    for (int i = 0; i < count; i++) {
      long page = at + i * pageSize;
      if (node.isFree(page)) {
        expected = MapException.Reason.NOT_MAPPED;
        break;
      }
      expected = node.child(page) != null ? MapException.Reason.SUBMAP : expected;
    }
    require(expected, reason(() -> node.map.free(at, bytes(count))), "free");
    for (int i = 0; expected == null && i < count; i++) {
      node.pages.remove(at + i * pageSize);
    }
  }

  private void submap(Node node) {
    if (node.depth == MAXIMUM_DEPTH || node.children.size() == MAXIMUM_CHILDREN) {
      return;
    }
    int count = choices.between(1, 64 >> node.depth);
    KernelMap[] made = new KernelMap[1];
    boolean pageable = !choices.oneIn(4);
    MapException.Reason reason;
    MapException.Reason expected;
    if (choices.oneIn(2)) {
      expected = node.place(count) < 0 ? MapException.Reason.NO_SPACE : null;
      reason = reason(() -> made[0] = node.map.submap(bytes(count), pageable));
    } else {
      long at = any(node, 1);
      expected = at > node.map.end() - count * pageSize ? MapException.Reason.NO_SPACE : null;
      for (int i = 0; expected == null && i < count; i++) {
        expected = node.isFree(at + i * pageSize) ? null : MapException.Reason.OCCUPIED;
      }
      reason = reason(() -> made[0] = node.map.submapAt(at, bytes(count), pageable));
    }
    require(expected, reason, "submap");
    if (expected == null) {
      node.children.add(new Node(made[0], node.depth + 1));
    }
  }

  // ---- accesses ----

  private MemoryFault.Reason expected(Page page) {
    if (page == null) {
      return MemoryFault.Reason.NOT_MAPPED;
    }
    return page.kind == Kind.RESERVED ? MemoryFault.Reason.PROTECTION : null;
  }

  private boolean isLacking(MemoryFault e, Page page) {
    if (!little
        || e.reason() != MemoryFault.Reason.OUT_OF_MEMORY
        || page == null
        || page.kind != Kind.ON_DEMAND) {
      return false;
    }
    refused++;
    return true;
  }

  private void store(Node node) {
    long at = any(node, 1);
    if (node.child(at) != null) {
      return;
    }
    Page page = node.pages.get(at);
    MemoryFault.Reason found = null;
    try {
      cpu.set(JAVA_LONG, at, ++stored);
    } catch (MemoryFault e) {
      if (isLacking(e, page)) {
        return;
      }
      found = e.reason();
    }
    require(expected(page), found, "store at " + Long.toHexString(at));
    if (found == null) {
      page.value = stored;
      page.made = true;
    }
  }

  private void load(Node node) {
    long at = any(node, 1);
    if (node.child(at) == null) {
      load(at, node.pages.get(at));
    }
  }

  private void load(long at, Page page) {
    MemoryFault.Reason reason = null;
    long found = 0;
    try {
      found = cpu.get(JAVA_LONG, at);
    } catch (MemoryFault e) {
      if (isLacking(e, page)) {
        return;
      }
      reason = e.reason();
    }
    require(expected(page), reason, "load at " + Long.toHexString(at));
    if (reason == null) {
      page.made = true;
      if (page.value != null) {
        require(page.value, found, "word at " + Long.toHexString(at));
      }
    }
  }
}
