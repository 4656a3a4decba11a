package org.juvm.wasm;

import java.util.ArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import run.endive.compiler.InterpreterFallback;
import run.endive.compiler.MachineFactoryCompiler;
import run.endive.runtime.Instance;
import run.endive.runtime.InterpreterMachine;
import run.endive.runtime.Machine;
import run.endive.runtime.Memory;
import run.endive.runtime.TableFactory;
import run.endive.runtime.TableInstance;
import run.endive.runtime.TrapException;
import run.endive.wasm.UninstantiableException;
import run.endive.wasm.WasmModule;
import run.endive.wasm.types.MemoryLimits;
import run.endive.wasm.types.Table;
import run.endive.wasm.types.TableLimits;

/**
 * A WebAssembly module and the way its code is executed, from which any number of processes start.
 * Immutable and thread-safe.
 */
public final class WasmProgram {
  /*
   * The engine runs the start function of a module whenever it instantiates it, also where that is
   * the second half of a fork. So the engine never gets to see it: the module is executed without its
   * start section, and a process calls the function when it starts.
   */
  private static final int NO_START = -1;

  /** What the engine executes: the module without its start section. */
  private final WasmModule code;

  /** Index of the start function, or {@link #NO_START}. */
  private final int start;

  private final Function<Instance, Machine> machines;
  private final @Nullable MemoryLimits limits;

  private WasmProgram(
      WasmModule code,
      int start,
      Function<Instance, Machine> machines,
      @Nullable MemoryLimits limits) {
    this.code = code;
    this.start = start;
    this.machines = machines;
    this.limits = limits;
  }

  /**
   * A program that the engine interprets: it starts at once and runs slowly.
   *
   * @param module a parsed module
   * @return the program
   */
  public static WasmProgram interpreted(WasmModule module) {
    return precompiled(module, InterpreterMachine::new);
  }

  /**
   * A program that is compiled to Java bytecode now. Functions that are too large for a Java method
   * are interpreted, and so are whole modules with instructions that the compiler does not know.
   *
   * @param module a parsed module
   * @return the program
   */
  public static WasmProgram compiled(WasmModule module) {
    var code = withoutStart(module);
    return new WasmProgram(code, startOf(module), machinesFor(code), null);
  }

  private static Function<Instance, Machine> machinesFor(WasmModule code) {
    try {
      return MachineFactoryCompiler.builder(code)
          .withInterpreterFallback(InterpreterFallback.SILENT)
          .compile();
    } catch (RuntimeException notCompilable) {
      // The compiler says in many ways that it does not know something; the interpreter knows more.
      return InterpreterMachine::new;
    }
  }

  /**
   * A program that was compiled to Java bytecode when it was built.
   *
   * @param module the module that was compiled
   * @param machines makes an instance of the compiled class
   * @return the program
   */
  public static WasmProgram precompiled(WasmModule module, Function<Instance, Machine> machines) {
    return new WasmProgram(withoutStart(module), startOf(module), machines, null);
  }

  private static int startOf(WasmModule module) {
    return module.startSection().map(section -> (int) section.startIndex()).orElse(NO_START);
  }

  /**
   * The same program with other limits than its module declares.
   *
   * @param limits initial and maximum size of each memory in WebAssembly pages
   * @return the program
   */
  public WasmProgram withMemoryLimits(MemoryLimits limits) {
    return new WasmProgram(code, start, machines, limits);
  }

  /**
   * The module, less its start section: a process calls the start function itself.
   *
   * @return what the engine executes
   */
  public WasmModule module() {
    return code;
  }

  /**
   * Starts a process: its memories, globals and tables are initialized and the start function of
   * the module has run. An export named {@code _start} is not called.
   *
   * @param memories makes each memory that the module defines, for instance {@code limits ->
   *     VmMemory.allocate(vm, limits)}
   * @param host what the process imports; the process closes it, also if it does not start
   * @return the process, to be closed by the caller
   * @throws run.endive.wasm.WasmEngineException if the module does not link or traps
   */
  public WasmProcess start(Function<MemoryLimits, Memory> memories, GuestHost host) {
    var made = new ArrayList<Memory>();
    try {
      var instance =
          builder(host)
              .withMemoryFactory(
                  wanted -> {
                    var memory = memories.apply(wanted);
                    made.add(memory);
                    return memory;
                  })
              .withTableFactory((table, initial) -> newTable(table, table.limits().min(), initial))
              .build();
      runStart(instance);
      return new WasmProcess(this, instance, made, host);
    } catch (RuntimeException | Error e) {
      WasmProcess.closeAll(made, host);
      throw e;
    }
  }

  private void runStart(Instance instance) {
    if (start != NO_START) {
      try {
        instance.getMachine().call(start, new long[0]);
      } catch (TrapException e) {
        throw new UninstantiableException(e.getMessage(), e);
      }
    }
  }

  /**
   * Instantiates once more, around memories that hold the bytes of a parent already.
   *
   * @param memories what the module's memories are, in their order
   * @param tables makes the module's tables
   */
  Instance instantiateFork(
      Function<MemoryLimits, Memory> memories, TableFactory tables, GuestHost host) {
    return builder(host).withMemoryFactory(memories).withTableFactory(tables).build();
  }

  private Instance.Builder builder(GuestHost host) {
    var builder =
        Instance.builder(code)
            .withMachineFactory(machines)
            .withImportValues(host.imports())
            .withStart(false);
    return limits == null ? builder : builder.withMemoryLimits(limits);
  }

  /**
   * A table with limits of its own: the engine notes growth in the limits, and those of the module
   * are shared by all its instances.
   */
  static TableInstance newTable(Table table, long size, int initial) {
    var declared = table.limits();
    var own = new TableLimits(size, declared.max(), declared.shared());
    return new TableInstance(new Table(table.elementType(), own, table.initialize()), initial);
  }

  private static WasmModule withoutStart(WasmModule module) {
    if (module.startSection().isEmpty()) {
      return module;
    }
    var copy =
        WasmModule.builder()
            .withValidation(false)
            .setTypeSection(module.typeSection())
            .setImportSection(module.importSection())
            .setFunctionSection(module.functionSection())
            .setTableSection(module.tableSection())
            .setGlobalSection(module.globalSection())
            .setExportSection(module.exportSection())
            .setElementSection(module.elementSection())
            .setCodeSection(module.codeSection())
            .setDataSection(module.dataSection())
            .withDigest(module.digest());
    module.memorySection().ifPresent(copy::setMemorySection);
    module.dataCountSection().ifPresent(copy::setDataCountSection);
    module.tagSection().ifPresent(copy::setTagSection);
    module.customSections().forEach(section -> copy.addCustomSection(section.name(), section));
    return copy.build();
  }
}
