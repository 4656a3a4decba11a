package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_CHAR_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.juvm.Cpu;
import org.juvm.MapException;
import org.juvm.Mapping;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Access;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/**
 * Does the same to a system and to the model, and throws as soon as they differ: in the value or
 * the exception of an operation, in the layout of an address space, in a byte of memory, or in the
 * number of frames in use.
 */
final class Duel implements AutoCloseable {
  private static final int MAXIMUM_SPACES = 6;
  private static final int CPUS = 3;
  private static final int AUDIT_EVERY = 64;

  /** Most of what happens lies in so many pages around the border of two page tables. */
  private static final int PAGES = 150;

  private static final long FIRST_PAGE = 3 * 512 - PAGES / 2;
  private static final long MINIMUM = 1 << 16;
  private static final long MAXIMUM = 1L << 47;

  /** A space and what it must be like. */
  private record Pair(Vmspace real, ModelSpace model) {}

  private final Vm vm;
  private final int pageSize;
  private final List<Pair> pairs = new ArrayList<>();
  private final Cpu[] cpus = new Cpu[CPUS];
  private int done;

  /** How far the action of a window got: length of its first segment. */
  private long firstRun;

  Duel(int pageSize) {
    this.pageSize = pageSize;
    vm = Vm.builder().memory(4096L * pageSize).pageSize(pageSize).boot();
    for (int i = 0; i < CPUS; i++) {
      cpus[i] = vm.newCpu();
    }
    pairs.add(newPair());
  }

  private Pair newPair() {
    return new Pair(vm.newVmspace(), new ModelSpace(pageSize, MINIMUM, MAXIMUM));
  }

  @Override
  public void close() {
    vm.close();
  }

  /** Does all of it and compares everything at the end. */
  void run(List<Command> commands) {
    for (Command command : commands) {
      try {
        step(command);
      } catch (Throwable e) {
        throw new AssertionError("step " + done + ": " + command, e);
      }
      done++;
    }
    compareBytes();
    audit();
  }

  private void step(Command command) {
    Pair pair = pairs.get(command.space() % pairs.size());
    switch (command.kind()) {
      case MAP_AT, MAP_ANYWHERE, UNMAP, PROTECT, INHERIT -> change(pair, command);
      case FORK -> fork(pair);
      case EXIT -> exit(pair);
      case GET, SET, ATOMIC, READ, WRITE, FILL, COPY, MISMATCH ->
          access(pair, attached(pair, command), command);
      case WINDOW_READ, WINDOW_WRITE, WINDOW_FORK, WINDOW_UNMAP ->
          window(pair, attached(pair, command), command);
    }
    compareFrames();
    if (done % AUDIT_EVERY == 0) {
      audit();
    }
  }

  private Cpu attached(Pair pair, Command command) {
    Cpu cpu = cpus[command.cpu() % CPUS];
    if (cpu.vmspace() != pair.real) {
      cpu.attach(pair.real);
    }
    return cpu;
  }

  // ---- where ----

  private long address(Pair pair, int choice) {
    if (choice % 16 == 15) {
      return (FIRST_PAGE + ((choice % 3 + 1L) << 24) + choice / 16 % 8) * pageSize;
    }
    List<Long> mapped = pair.model.pages();
    if (choice % 16 > 7 && !mapped.isEmpty()) {
      return mapped.get(choice / 16 % mapped.size()) * pageSize;
    }
    return (FIRST_PAGE + choice / 16 % PAGES) * pageSize;
  }

  private long length(Command command) {
    int most = command.target() % 4 == 0 ? 80 : 8;
    return (1L + command.target() / 4 % most) * pageSize;
  }

  private long offset(Command command) {
    // Half of all accesses are close to the end of a page.
    int offset = command.offset() % pageSize;
    return command.offset() / pageSize % 2 == 0 ? pageSize - 1 - offset % 9 : offset;
  }

  private int bytes(Command command) {
    return (int) Long.remainderUnsigned(command.value(), command.option() % 2 == 0 ? 40 : 5000);
  }

  // ---- outcomes ----

  private String outcome(Supplier<?> operation) {
    try {
      return String.valueOf(operation.get());
    } catch (MemoryFault e) {
      return fault(e.reason().name(), e.access(), e.address());
    } catch (MapException e) {
      return e.reason().name();
    }
  }

  private String outcome(Runnable operation) {
    return outcome(
        () -> {
          operation.run();
          return "";
        });
  }

  private String fault(String reason, Access access, long address) {
    return reason + " " + access + " " + Long.toHexString(Math.floorDiv(address, (long) pageSize));
  }

  private @Nullable String refused(ModelSpace model, long address, Access access) {
    ModelSpace.Refusal refusal = model.refusal(address, access);
    return refusal == ModelSpace.Refusal.NONE ? null : fault(refusal.name(), access, address);
  }

  private static void same(Object expected, Object found) {
    if (!Objects.equals(expected, found)) {
      throw new AssertionError("model: " + expected + "\nfound: " + found);
    }
  }

  // ---- mappings ----

  private void change(Pair pair, Command command) {
    Vmspace real = pair.real;
    ModelSpace model = pair.model;
    long at = address(pair, command.page());
    long length = length(command);
    // Writable memory is what most operations are about.
    Protection protection =
        command.option() % 2 == 0
            ? Protection.READ_WRITE
            : Protection.values()[command.option() / 2 % Protection.values().length];
    Inheritance inheritance = Inheritance.values()[command.option() % Inheritance.values().length];
    switch (command.kind()) {
      case MAP_AT -> {
        boolean free = !model.isAnyMapped(at, length);
        same(free ? "" : "OCCUPIED", outcome(() -> real.map(at, length, protection)));
        if (free) {
          model.map(at, length, protection);
        }
      }
      case MAP_ANYWHERE -> {
        long hole = model.lowestHole(length / pageSize);
        same(String.valueOf(hole), outcome(() -> real.map(length, protection)));
        model.map(hole, length, protection);
      }
      case UNMAP -> {
        same("", outcome(() -> real.unmap(at, length)));
        model.unmap(at, length);
      }
      case PROTECT -> {
        boolean all = model.isAllMapped(at, length);
        same(all ? "" : "NOT_MAPPED", outcome(() -> real.protect(at, length, protection)));
        if (all) {
          model.protect(at, length, protection);
        }
      }
      default -> {
        same("", outcome(() -> real.inherit(at, length, inheritance)));
        model.inherit(at, length, inheritance);
      }
    }
    same(model.layout(), layout(real));
  }

  private static List<String> layout(Vmspace real) {
    List<String> lines = new ArrayList<>();
    List<Mapping> mappings = real.mappings();
    for (int i = 0; i < mappings.size(); ) {
      Mapping first = mappings.get(i);
      long end = first.start();
      while (i < mappings.size()
          && mappings.get(i).start() == end
          && mappings.get(i).protection() == first.protection()
          && mappings.get(i).inheritance() == first.inheritance()) {
        end = mappings.get(i).end();
        i++;
      }
      lines.add(
          Long.toHexString(first.start())
              + "-"
              + Long.toHexString(end)
              + " "
              + first.protection()
              + " "
              + first.inheritance());
    }
    return lines;
  }

  private void fork(Pair pair) {
    if (pairs.size() == MAXIMUM_SPACES) {
      exit(pair);
      return;
    }
    Pair child = new Pair(pair.real.fork(), pair.model.fork());
    pairs.add(child);
    same(child.model.layout(), layout(child.real));
  }

  private void exit(Pair pair) {
    pair.real.close();
    pair.model.exit();
    pairs.remove(pair);
    if (pairs.isEmpty()) {
      pairs.add(newPair());
    }
  }

  // ---- accesses ----

  private void access(Pair pair, Cpu cpu, Command command) {
    ModelSpace model = pair.model;
    long at = address(pair, command.page()) + offset(command);
    long to = address(pair, command.target()) + offset(command) / 2;
    int length = bytes(command);
    switch (command.kind()) {
      case GET -> get(model, cpu, at, command.option());
      case SET -> set(model, cpu, at, command.option(), command.value());
      case ATOMIC -> atomic(model, cpu, at & -8, command);
      case READ -> {
        byte[] found = new byte[length + 2];
        String outcome = outcome(() -> cpu.bulk().read(at, found, 1, length));
        byte[] expected = new byte[length + 2];
        same(load(model, at, expected, 1, length), outcome);
        same(Arrays.toString(expected), Arrays.toString(found));
      }
      case WRITE -> {
        byte[] bytes = new byte[length + 2];
        new Choices(command.value()).bytes(bytes);
        same(
            store(model, at, bytes, 1, length),
            outcome(() -> cpu.bulk().write(at, bytes, 1, length)));
      }
      case FILL -> {
        byte value = (byte) command.option();
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, value);
        same(store(model, at, bytes, 0, length), outcome(() -> cpu.bulk().fill(at, length, value)));
      }
      case COPY -> {
        // Every other copy overlaps.
        long target = command.option() % 2 == 0 ? to : at - 100 + command.offset() % 200;
        same(copy(model, at, target, length), outcome(() -> cpu.bulk().copy(at, target, length)));
      }
      default -> mismatch(model, cpu, at, length, command);
    }
  }

  private static final ByteOrder[] ORDERS = {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN};

  private static int size(int layout) {
    return switch (layout % 7) {
      case 0 -> 1;
      case 1, 2 -> 2;
      case 3, 4 -> 4;
      default -> 8;
    };
  }

  private void get(ModelSpace model, Cpu cpu, long at, int layout) {
    ByteOrder order = ORDERS[layout / 7 % 2];
    byte[] bytes = new byte[size(layout)];
    String fault = load(model, at, bytes, 0, bytes.length);
    String expected = fault.isEmpty() ? String.valueOf(value(bytes, order)) : fault;
    same(
        expected,
        outcome(
            () ->
                switch (layout % 7) {
                  case 0 -> (long) cpu.get(JAVA_BYTE, at);
                  case 1 -> (long) cpu.get(JAVA_SHORT_UNALIGNED.withOrder(order), at);
                  case 2 -> (long) (short) cpu.get(JAVA_CHAR_UNALIGNED.withOrder(order), at);
                  case 3 -> (long) cpu.get(JAVA_INT_UNALIGNED.withOrder(order), at);
                  case 4 ->
                      (long)
                          Float.floatToRawIntBits(
                              cpu.get(JAVA_FLOAT_UNALIGNED.withOrder(order), at));
                  case 5 -> cpu.get(JAVA_LONG_UNALIGNED.withOrder(order), at);
                  default ->
                      Double.doubleToRawLongBits(
                          cpu.get(JAVA_DOUBLE_UNALIGNED.withOrder(order), at));
                }));
  }

  private void set(ModelSpace model, Cpu cpu, long at, int layout, long value) {
    ByteOrder order = ORDERS[layout / 7 % 2];
    byte[] bytes = bytes(value, size(layout), order);
    // All or nothing, even across pages.
    String fault = refused(model, at, Access.WRITE);
    if (fault == null) {
      fault = refused(model, at + bytes.length - 1, Access.WRITE);
      if (fault == null) {
        store(model, at, bytes, 0, bytes.length);
      } else {
        model.touchForStore(at);
      }
    }
    same(
        fault == null ? "" : fault,
        outcome(
            () -> {
              switch (layout % 7) {
                case 0 -> cpu.set(JAVA_BYTE, at, (byte) value);
                case 1 -> cpu.set(JAVA_SHORT_UNALIGNED.withOrder(order), at, (short) value);
                case 2 -> cpu.set(JAVA_CHAR_UNALIGNED.withOrder(order), at, (char) value);
                case 3 -> cpu.set(JAVA_INT_UNALIGNED.withOrder(order), at, (int) value);
                case 4 ->
                    cpu.set(
                        JAVA_FLOAT_UNALIGNED.withOrder(order),
                        at,
                        Float.intBitsToFloat((int) value));
                case 5 -> cpu.set(JAVA_LONG_UNALIGNED.withOrder(order), at, value);
                default ->
                    cpu.set(
                        JAVA_DOUBLE_UNALIGNED.withOrder(order), at, Double.longBitsToDouble(value));
              }
            }));
  }

  /** As a signed number. */
  private static long value(byte[] bytes, ByteOrder order) {
    long value = order == ByteOrder.BIG_ENDIAN ? bytes[0] : bytes[bytes.length - 1];
    for (int i = 1; i < bytes.length; i++) {
      int next = order == ByteOrder.BIG_ENDIAN ? i : bytes.length - 1 - i;
      value = value << 8 | (bytes[next] & 0xff);
    }
    return value;
  }

  private static byte[] bytes(long value, int size, ByteOrder order) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[order == ByteOrder.LITTLE_ENDIAN ? i : size - 1 - i] = (byte) (value >>> (8 * i));
    }
    return bytes;
  }

  private void atomic(ModelSpace model, Cpu cpu, long at, Command command) {
    boolean wide = command.option() % 2 == 0;
    int operation = command.option() / 2 % 7;
    Access access = operation == 0 ? Access.READ : Access.WRITE;
    String fault = refused(model, at, access);
    long operand = wide ? command.value() : (int) command.value();
    String expected = fault;
    if (fault == null) {
      byte[] bytes = new byte[wide ? 8 : 4];
      String loaded = load(model, at, bytes, 0, bytes.length);
      assert loaded.isEmpty() : loaded;
      ByteOrder order = ByteOrder.nativeOrder();
      long old = value(bytes, order);
      expected = String.valueOf(old);
      if (operation != 0) {
        long changed =
            switch (operation) {
              case 1 -> old + operand;
              case 2 -> old & operand;
              case 3 -> old | operand;
              case 4 -> old ^ operand;
              case 5 -> operand;
              default -> old == 0 ? operand : old;
            };
        store(model, at, bytes(changed, bytes.length, order), 0, bytes.length);
      }
    }
    same(
        Objects.requireNonNull(expected),
        outcome(
            () ->
                wide
                    ? atomicLong(cpu, at, operation, operand)
                    : atomicInt(cpu, at, operation, (int) operand)));
  }

  private static long atomicLong(Cpu cpu, long at, int operation, long operand) {
    return switch (operation) {
      case 0 -> cpu.atomics().getVolatile(JAVA_LONG, at);
      case 1 -> cpu.atomics().getAndAdd(JAVA_LONG, at, operand);
      case 2 -> cpu.atomics().getAndBitwiseAnd(JAVA_LONG, at, operand);
      case 3 -> cpu.atomics().getAndBitwiseOr(JAVA_LONG, at, operand);
      case 4 -> cpu.atomics().getAndBitwiseXor(JAVA_LONG, at, operand);
      case 5 -> cpu.atomics().getAndSet(JAVA_LONG, at, operand);
      default -> cpu.atomics().compareAndExchange(JAVA_LONG, at, 0, operand);
    };
  }

  private static long atomicInt(Cpu cpu, long at, int operation, int operand) {
    return switch (operation) {
      case 0 -> cpu.atomics().getAcquire(JAVA_INT, at);
      case 1 -> cpu.atomics().getAndAdd(JAVA_INT, at, operand);
      case 2 -> cpu.atomics().getAndBitwiseAnd(JAVA_INT, at, operand);
      case 3 -> cpu.atomics().getAndBitwiseOr(JAVA_INT, at, operand);
      case 4 -> cpu.atomics().getAndBitwiseXor(JAVA_INT, at, operand);
      case 5 -> cpu.atomics().getAndSet(JAVA_INT, at, operand);
      default -> cpu.atomics().compareAndExchange(JAVA_INT, at, 0, operand);
    };
  }

  // ---- ranges in the model: byte by byte, up to the first that cannot be accessed ----

  private String load(ModelSpace model, long at, byte[] into, int from, int length) {
    for (int i = 0; i < length; i++) {
      String fault = refused(model, at + i, Access.READ);
      if (fault != null) {
        return fault;
      }
      into[from + i] = model.load(at + i);
    }
    return "";
  }

  private String store(ModelSpace model, long at, byte[] bytes, int from, int length) {
    for (int i = 0; i < length; i++) {
      String fault = refused(model, at + i, Access.WRITE);
      if (fault != null) {
        return fault;
      }
      model.store(at + i, bytes[from + i]);
    }
    return "";
  }

  private String copy(ModelSpace model, long from, long to, int length) {
    boolean backwards = from < to && to < from + length;
    for (int i = 0; i < length; i++) {
      int at = backwards ? length - 1 - i : i;
      String fault = refused(model, from + at, Access.READ);
      if (fault == null) {
        byte value = model.load(from + at);
        fault = refused(model, to + at, Access.WRITE);
        if (fault == null) {
          model.store(to + at, value);
          continue;
        }
      }
      return fault;
    }
    return "";
  }

  private void mismatch(ModelSpace model, Cpu cpu, long at, int length, Command command) {
    byte[] bytes = new byte[length];
    boolean differs = length > 0 && command.option() % 3 != 0;
    int different = differs ? command.target() % length : length;
    // What lies behind the difference is not looked at.
    String expected = load(model, at, bytes, 0, Math.min(length, different + 1));
    if (expected.isEmpty()) {
      expected = "-1";
      if (differs) {
        bytes[different]++;
        expected = String.valueOf(different);
      }
    }
    MemorySegment other = MemorySegment.ofArray(bytes);
    same(expected, outcome(() -> cpu.bulk().mismatch(at, other, 0, length)));
  }

  // ---- windows ----

  private void window(Pair pair, Cpu cpu, Command command) {
    Access access = command.kind() == Command.Kind.WINDOW_READ ? Access.READ : Access.WRITE;
    long start = address(pair, command.page());
    long at = start + offset(command);
    int length = bytes(command);
    byte[] seen = new byte[length];
    long[] position = new long[1];
    firstRun = -1;
    Vmspace[] children = new Vmspace[1];
    String found =
        outcome(
            () ->
                cpu.bulk()
                    .window(
                        at,
                        length,
                        access,
                        segment -> {
                          boolean first = firstRun < 0;
                          if (first) {
                            firstRun = segment.byteSize();
                          }
                          if (access == Access.READ) {
                            MemorySegment.copy(
                                segment,
                                JAVA_BYTE,
                                0,
                                seen,
                                (int) position[0],
                                (int) segment.byteSize());
                            position[0] += segment.byteSize();
                            return;
                          }
                          if (first && command.kind() == Command.Kind.WINDOW_FORK) {
                            segment.fill((byte) 1);
                            children[0] = pair.real.fork();
                          }
                          if (first && command.kind() == Command.Kind.WINDOW_UNMAP) {
                            pair.real.unmap(start, 16L * pageSize);
                          }
                          segment.fill((byte) command.option());
                        }));
    same(windowInModel(pair, at, length, command, seen, children[0]), found);
    if (pairs.size() > MAXIMUM_SPACES) {
      exit(pairs.getFirst());
    }
  }

  private String windowInModel(
      Pair pair, long at, int length, Command command, byte[] seen, @Nullable Vmspace child) {
    ModelSpace model = pair.model;
    if (command.kind() == Command.Kind.WINDOW_READ) {
      byte[] expected = new byte[length];
      String outcome = load(model, at, expected, 0, length);
      same(Arrays.toString(expected), Arrays.toString(seen));
      return outcome;
    }
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) command.option());
    if (firstRun < 0) {
      return length == 0 ? "" : store(model, at, bytes, 0, length);
    }
    int run = (int) firstRun;
    String first;
    if (command.kind() == Command.Kind.WINDOW_FORK) {
      byte[] ones = new byte[run];
      Arrays.fill(ones, (byte) 1);
      first = store(model, at, ones, 0, run);
      forkInModel(model, at, run, Objects.requireNonNull(child));
      first += store(model, at, bytes, 0, run);
    } else {
      first = store(model, at, bytes, 0, run);
      if (command.kind() == Command.Kind.WINDOW_UNMAP) {
        model.unmap(at / pageSize * pageSize, 16L * pageSize);
      }
    }
    same("", first);
    return store(model, at + run, bytes, run, length - run);
  }

  /** Pages in a window are copied at once. */
  private void forkInModel(ModelSpace model, long at, int run, Vmspace child) {
    ModelSpace copy = model.fork();
    Pair pair = new Pair(child, copy);
    for (long page = at / pageSize; page <= (at + run - 1) / pageSize; page++) {
      if (model.inheritance(page * pageSize) == Inheritance.COPY) {
        copy.touchForStore(page * pageSize);
      }
    }
    same(copy.layout(), layout(child));
    pairs.add(pair);
  }

  // ---- everything ----

  private void compareFrames() {
    List<ModelSpace> models = pairs.stream().map(Pair::model).toList();
    same((long) ModelSpace.countFrames(models), vm.statistics().usedFrames());
  }

  private void compareBytes() {
    Cpu cpu = cpus[0];
    byte[] found = new byte[pageSize];
    for (Pair pair : pairs) {
      cpu.attach(pair.real);
      for (long page : pair.model.pages()) {
        long at = page * pageSize;
        if (pair.model.refusal(at, Access.READ) != ModelSpace.Refusal.NONE) {
          pair.real.protect(at, pageSize, Protection.READ);
        }
        cpu.bulk().read(at, found, 0, pageSize);
        if (!Arrays.equals(pair.model.peek(page), found)) {
          throw new AssertionError("page " + Long.toHexString(at) + " of " + pair.real);
        }
      }
    }
  }

  private void audit() {
    same(List.of(), vm.audit());
  }
}
