package org.juvm.wasm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.juvm.wasm.WasmBuilder.F64;
import static org.juvm.wasm.WasmBuilder.I32;
import static org.juvm.wasm.WasmBuilder.I64;
import static org.juvm.wasm.WasmBuilder.code;
import static org.juvm.wasm.WasmBuilder.i32;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import run.endive.runtime.ByteArrayMemory;
import run.endive.runtime.HostFunction;
import run.endive.runtime.ImportValues;
import run.endive.runtime.Memory;
import run.endive.wasm.UnlinkableException;
import run.endive.wasm.WasmEngineException;
import run.endive.wasm.WasmModule;
import run.endive.wasm.types.FunctionType;
import run.endive.wasm.types.MemoryLimits;

/** Modules in processes, executed by the interpreter and by the compiler. */
class WasmProcessTest extends WithVm {
  private static final int[] NONE = {};
  private static final int[] INT = {I32};
  private static final int[] LONG = {I64};
  private static final int WASM_PAGE = Memory.PAGE_SIZE;
  private static final MemoryLimits FOUR_PAGES = new MemoryLimits(1, 4);

  @SuppressWarnings("ImmutableEnumChecker") // the functions have no state
  enum Engine {
    INTERPRETER(WasmProgram::interpreted),
    COMPILER(WasmProgram::compiled);

    final Function<WasmModule, WasmProgram> program;

    Engine(Function<WasmModule, WasmProgram> program) {
      this.program = program;
    }
  }

  private WasmProcess start(Engine engine, WasmBuilder builder) {
    return engine
        .program
        .apply(builder.module())
        .start(limits -> VmMemory.allocate(vm, limits), noImports());
  }

  private static GuestHost noImports() {
    return GuestHost.of(ImportValues.empty());
  }

  /** Loads and stores with an offset of 16 in the instruction, growth, size and bulk operations. */
  private static WasmBuilder memoryModule() {
    var builder = new WasmBuilder().memory(1, 4).exportMemory();
    builder.function("load", INT, INT, code(0x20, 0, 0x28, 0, 16));
    builder.function("store", INT, NONE, code(0x20, 0, 0x41, 7, 0x36, 0, 16));
    builder.function("far", INT, INT, code(0x20, 0, 0x2d, 0, 0xff, 0xff, 0xff, 0xff, 0x0f));
    builder.function("grow", INT, INT, code(0x20, 0, 0x40, 0));
    builder.function("size", NONE, INT, code(0x3f, 0));
    builder.function(
        "fill", new int[] {I32, I32}, NONE, code(0x20, 0, 0x41, 1, 0x20, 1, 0xfc, 0x0b, 0));
    builder.function(
        "copy", new int[] {I32, I32, I32}, NONE, code(0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 0x0a, 0, 0));
    return builder;
  }

  @ParameterizedTest
  @EnumSource
  void accessesOutsideTheMemoryTrap(Engine engine) {
    try (var process = start(engine, memoryModule())) {
      process.call("store", WASM_PAGE - 20);
      assertThat(process.callInt("load", WASM_PAGE - 20)).isEqualTo(7);
      for (int address : new int[] {WASM_PAGE - 19, WASM_PAGE, -1, -16, -17, Integer.MAX_VALUE}) {
        assertThatThrownBy(() -> process.call("load", address))
            .isInstanceOf(WasmEngineException.class)
            .hasMessageContaining("out of bounds memory access");
        assertThatThrownBy(() -> process.call("store", address))
            .isInstanceOf(WasmEngineException.class)
            .hasMessageContaining("out of bounds memory access");
      }
      for (int address : new int[] {0, 1, 16, -1, WASM_PAGE, Integer.MIN_VALUE}) {
        assertThatThrownBy(() -> process.call("far", address))
            .isInstanceOf(WasmEngineException.class);
      }
      assertThat(process.callInt("load", WASM_PAGE - 20)).isEqualTo(7);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aGuestGrowsItsMemory(Engine engine) {
    try (var process = start(engine, memoryModule())) {
      assertThat(process.callInt("grow", 2)).isEqualTo(1);
      assertThat(process.callInt("size")).isEqualTo(3);
      process.call("store", 3 * WASM_PAGE - 20);
      assertThat(process.callInt("grow", 2)).isEqualTo(-1);
      process.call("fill", WASM_PAGE, 2 * WASM_PAGE);
      process.call("copy", 10, WASM_PAGE + 5, 100);
      assertThat(process.memory().readBytes(10, 100)).containsOnly(1);
      assertThatThrownBy(() -> process.call("fill", 3 * WASM_PAGE - 5, 6))
          .isInstanceOf(WasmEngineException.class);
      assertThatThrownBy(() -> process.call("copy", 0, 3 * WASM_PAGE - 5, 6))
          .isInstanceOf(WasmEngineException.class);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aGuestThatExhaustsTheVmIsStopped(Engine engine) {
    try (var small = Vm.builder().memory(1 << 20).boot()) {
      var builder = new WasmBuilder().memory(100, 100);
      builder.function("fill", INT, NONE, code(0x41, 0, 0x41, 1, 0x20, 0, 0xfc, 0x0b, 0));
      try (var process =
          engine
              .program
              .apply(builder.module())
              .start(limits -> VmMemory.allocate(small, limits), noImports())) {
        assertThatThrownBy(() -> process.call("fill", 100 * WASM_PAGE))
            .isInstanceOfSatisfying(
                MemoryFault.class,
                fault -> assertThat(fault.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY));
      }
      assertThat(small.audit()).isEmpty();
      assertThat(small.statistics().usedFrames()).isZero();
    }
  }

  /** State of all kinds outside the memory. */
  private static WasmBuilder stateModule() {
    var builder =
        new WasmBuilder()
            .memory(1, 4)
            .exportMemory()
            .table(2, 8)
            .global(I32, i32(1))
            .global(I64, code(0x42, 2))
            .global(F64, code(0x44, 0, 0, 0, 0, 0, 0, 0, 0))
            .activeData(100, code('a', 'b', 'c'))
            .passiveData(code('x', 'y', 'z'));
    int get = builder.function("get", NONE, INT, code(0x23, 0));
    int doubled = builder.function("doubled", NONE, INT, code(0x23, 0, 0x23, 0, 0x6a));
    builder.function("set", INT, NONE, code(0x20, 0, 0x24, 0));
    builder.function("getLong", NONE, LONG, code(0x23, 1));
    builder.function("setLong", LONG, NONE, code(0x20, 0, 0x24, 1));
    builder.function("getDouble", NONE, new int[] {F64}, code(0x23, 2));
    builder.function("setDouble", new int[] {F64}, NONE, code(0x20, 0, 0x24, 2));
    builder.function("call", INT, INT, code(0x20, 0, 0x11, 0, 0));
    builder.function("growTable", INT, INT, code(0xd2, doubled, 0x20, 0, 0xfc, 0x0f, 0));
    builder.function("tableSize", NONE, INT, code(0xfc, 0x10, 0));
    builder.function("setSlot", INT, NONE, code(0x20, 0, 0xd2, doubled, 0x26, 0));
    builder.function("initialize", INT, NONE, code(0x20, 0, 0x41, 0, 0x41, 3, 0xfc, 0x08, 1, 0));
    builder.function("drop", NONE, NONE, code(0xfc, 0x09, 1));
    int start =
        builder.function(
            "", NONE, NONE, code(0x41, 0, 0x41, 0, 0x28, 0, 0, 0x41, 1, 0x6a, 0x36, 0, 0));
    return builder.elements(0, get, doubled).start(start);
  }

  @ParameterizedTest
  @EnumSource
  void aForkHasGlobalsOfItsOwn(Engine engine) {
    try (var parent = start(engine, stateModule())) {
      parent.call("set", 5);
      parent.call("setLong", 1L << 40);
      parent.call("setDouble", Double.doubleToRawLongBits(2.5));
      try (var child = parent.fork(noImports())) {
        assertThat(child.callInt("get")).isEqualTo(5);
        assertThat(child.call("getLong")[0]).isEqualTo(1L << 40);
        assertThat(Double.longBitsToDouble(child.call("getDouble")[0])).isEqualTo(2.5);
        child.call("set", 6);
        parent.call("setLong", 3);
        assertThat(parent.callInt("get")).isEqualTo(5);
        assertThat(child.call("getLong")[0]).isEqualTo(1L << 40);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aForkHasTablesOfItsOwnWhoseFunctionsAreItsOwn(Engine engine) {
    try (var parent = start(engine, stateModule())) {
      assertThat(parent.callInt("growTable", 3)).isEqualTo(2);
      parent.call("set", 10);
      parent.call("setSlot", 0);
      try (var child = parent.fork(noImports())) {
        child.call("set", 20);
        assertThat(child.callInt("tableSize")).isEqualTo(5);
        assertThat(child.callInt("call", 0)).isEqualTo(40);
        assertThat(child.callInt("call", 4)).isEqualTo(40);
        assertThat(parent.callInt("call", 4)).isEqualTo(20);
        assertThat(child.callInt("growTable", 3)).isEqualTo(5);
        assertThat(parent.callInt("tableSize")).isEqualTo(5);
        assertThat(parent.callInt("growTable", 4)).isEqualTo(-1);
      }
      try (var second = parent.fork(noImports())) {
        assertThat(second.callInt("tableSize")).isEqualTo(5);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void processesOfOneProgramDoNotSeeTheGrowthOfEachOthersTables(Engine engine) {
    var program = engine.program.apply(stateModule().module());
    try (var first = program.start(limits -> VmMemory.allocate(vm, limits), noImports())) {
      assertThat(first.callInt("growTable", 6)).isEqualTo(2);
      try (var second = program.start(limits -> VmMemory.allocate(vm, limits), noImports())) {
        assertThat(second.callInt("tableSize")).isEqualTo(2);
        assertThat(second.callInt("growTable", 6)).isEqualTo(2);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aForkIsNotInitializedAgain(Engine engine) {
    try (var parent = start(engine, stateModule())) {
      assertThat(parent.memory().readInt(0)).isEqualTo(1);
      assertThat(parent.memory().readString(100, 3)).isEqualTo("abc");
      parent.memory().writeByte(100, (byte) 'A');
      try (var child = parent.fork(noImports());
          var grandchild = child.fork(noImports())) {
        assertThat(grandchild.memory().readInt(0)).isEqualTo(1);
        assertThat(grandchild.memory().readString(100, 3)).isEqualTo("Abc");
        grandchild.memory().writeByte(101, (byte) 'B');
        assertThat(child.memory().readString(100, 3)).isEqualTo("Abc");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aForkKnowsWhichDataWasDropped(Engine engine) {
    try (var parent = start(engine, stateModule())) {
      try (var early = parent.fork(noImports())) {
        parent.call("drop");
        early.call("initialize", 200);
        assertThat(early.memory().readString(200, 3)).isEqualTo("xyz");
      }
      try (var late = parent.fork(noImports());
          var later = late.fork(noImports())) {
        for (var process : new WasmProcess[] {parent, late, later}) {
          assertThatThrownBy(() -> process.call("initialize", 200))
              .isInstanceOf(WasmEngineException.class);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aForkImportsFromItsOwnHost(Engine engine) {
    var builder = new WasmBuilder().memory(1, 1).importFunction("host", "count", NONE, NONE);
    builder.function("count", NONE, NONE, code(0x10, 0));
    var parentCalls = new AtomicInteger();
    var childCalls = new AtomicInteger();
    var program = engine.program.apply(builder.module());
    try (var parent =
            program.start(limits -> VmMemory.allocate(vm, limits), counting(parentCalls));
        var child = parent.fork(counting(childCalls))) {
      parent.call("count");
      child.call("count");
      child.call("count");
    }
    assertThat(parentCalls).hasValue(1);
    assertThat(childCalls).hasValue(2);
  }

  private static GuestHost counting(AtomicInteger calls) {
    var function =
        new HostFunction(
            "host",
            "count",
            FunctionType.empty(),
            (instance, arguments) -> {
              calls.incrementAndGet();
              return null;
            });
    return GuestHost.of(ImportValues.builder().addFunction(function).build());
  }

  @Test
  void closingAProcessClosesItsHostOnce() {
    var closed = new AtomicInteger();
    var process =
        WasmProgram.interpreted(memoryModule().module())
            .start(limits -> VmMemory.allocate(vm, limits), countingClose(closed));
    var child = process.fork(countingClose(closed));
    child.close();
    process.close();
    process.close();
    assertThat(closed).hasValue(2);
  }

  private static GuestHost countingClose(AtomicInteger closed) {
    return new GuestHost() {
      @Override
      public ImportValues imports() {
        return ImportValues.empty();
      }

      @Override
      public void close() {
        closed.incrementAndGet();
      }
    };
  }

  @Test
  void aProcessThatCannotStartLeavesNothingBehind() {
    var builder = new WasmBuilder().memory(1, 1).importFunction("host", "count", NONE, NONE);
    var unlinked = WasmProgram.interpreted(builder.module());
    var outside = new WasmBuilder().memory(1, 1).activeData(WASM_PAGE - 2, code('a', 'b', 'c'));
    var uninstantiable = WasmProgram.interpreted(outside.module());
    var closed = new AtomicInteger();
    assertThatThrownBy(
            () -> unlinked.start(limits -> VmMemory.allocate(vm, limits), countingClose(closed)))
        .isInstanceOf(UnlinkableException.class);
    assertThatThrownBy(
            () ->
                uninstantiable.start(
                    limits -> VmMemory.allocate(vm, limits), countingClose(closed)))
        .isInstanceOf(WasmEngineException.class)
        .hasMessageContaining("out of bounds memory access");
    assertThat(closed).hasValue(2);
    assertThat(vm.statistics().vmspaces()).isZero();
  }

  @Test
  void onlyMemoriesInAVmCanFork() {
    var program = WasmProgram.interpreted(memoryModule().module());
    try (var process = program.start(ByteArrayMemory::new, noImports())) {
      assertThatThrownBy(() -> process.fork(noImports()))
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessageContaining("ByteArrayMemory");
    }
  }

  @Test
  void limitsCanBeOverridden() {
    var program =
        WasmProgram.interpreted(memoryModule().module())
            .withMemoryLimits(new MemoryLimits(2, FOUR_PAGES.maximumPages() + 1));
    try (var process = program.start(limits -> VmMemory.allocate(vm, limits), noImports())) {
      assertThat(process.callInt("size")).isEqualTo(2);
      assertThat(process.callInt("grow", 3)).isEqualTo(2);
    }
  }
}
