package org.juvm.wasm;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import run.endive.runtime.GlobalInstance;
import run.endive.runtime.Instance;
import run.endive.runtime.Memory;
import run.endive.runtime.TableInstance;
import run.endive.runtime.WasmGcRef;
import run.endive.wasm.types.ExternalType;
import run.endive.wasm.types.MutabilityType;

/**
 * A running instance of a {@link WasmProgram}: its memories, globals and tables.
 *
 * <p>Used by one thread at a time, unless the module shares its memory and expects threads.
 */
public final class WasmProcess implements AutoCloseable {
  private final WasmProgram program;
  private final Instance instance;
  private final List<Memory> memories;
  private final GuestHost host;
  private boolean closed;

  /**
   * Takes charge of an instance.
   *
   * @param memories those that the module defines, in their order
   */
  WasmProcess(WasmProgram program, Instance instance, List<Memory> memories, GuestHost host) {
    this.program = program;
    this.instance = instance;
    this.memories = List.copyOf(memories);
    this.host = host;
  }

  /**
   * The engine's view of the process.
   *
   * @return the instance
   */
  public Instance instance() {
    return instance;
  }

  /**
   * The first memory, the only one of nearly all programs.
   *
   * @return a memory of the kind that the process was started with
   * @throws IllegalStateException if the module has no memory
   */
  public Memory memory() {
    var memory = instance.memory();
    if (memory == null) {
      throw new IllegalStateException("the module has no memory");
    }
    return memory;
  }

  /**
   * Calls an exported function.
   *
   * @param function the name under which it is exported
   * @param arguments values in the engine's encoding: integers as they are, floats as their bits
   * @return the results in the same encoding
   * @throws run.endive.wasm.WasmEngineException if the function traps or there is none of that name
   * @throws org.juvm.MemoryFault if the vm has no page left for the memory of the process
   */
  public long[] call(String function, long... arguments) {
    enter();
    return instance.export(function).apply(arguments);
  }

  /**
   * Makes the calling thread the one that uses the memories, for calls that go around this class.
   */
  public void enter() {
    for (var memory : memories) {
      if (memory instanceof VmMemory inVm) {
        inVm.ownCpu();
      }
    }
  }

  /**
   * Calls an exported function that returns one 32-bit integer.
   *
   * @param function the name under which it is exported
   * @param arguments values in the engine's encoding
   * @return its result
   * @throws run.endive.wasm.WasmEngineException if the function traps or there is none of that name
   * @throws org.juvm.MemoryFault if the vm has no page left for the memory of the process
   */
  public int callInt(String function, long... arguments) {
    return (int) call(function, arguments)[0];
  }

  /**
   * Makes a second process that goes on from where this one is: copy-on-write memories, and
   * globals, tables, dropped data and element segments of its own. Its start function does not run.
   *
   * <p>This process must be idle: a call in progress is in Java frames, which cannot be copied.
   * What the module imports is not copied but taken from the child's host. An imported function in
   * a table stays bound to where it comes from. Exceptions that a guest has stored are not copied.
   *
   * @param childHost what the child imports, file descriptors included: open files of the parent
   *     are not open in the child, its preopened directories should be the same ones in the same
   *     order; the child closes it, also if the fork fails
   * @return the child, to be closed by the caller
   * @throws UnsupportedOperationException if a memory of this process is not a {@link VmMemory}, or
   *     if a global or table refers to an object of the engine's garbage-collected heap, which both
   *     sides would then share
   */
  public WasmProcess fork(GuestHost childHost) {
    var children = new ArrayList<Memory>();
    try {
      requireForkable();
      memories.forEach(memory -> children.add(((VmMemory) memory).fork()));
      var childMemories = children.iterator();
      var parentTables = definedTables().iterator();
      var child =
          program.instantiateFork(
              limits -> childMemories.next(),
              (table, initial) -> WasmProgram.newTable(table, nextSize(parentTables), initial),
              childHost);
      copyGlobals(child);
      copyTables(child);
      for (int i = 0; i < instance.elementCount(); i++) {
        child.setElement(i, instance.element(i));
      }
      return new WasmProcess(program, child, children, childHost);
    } catch (RuntimeException | Error e) {
      closeAll(children, childHost);
      throw e;
    }
  }

  private static long nextSize(Iterator<TableInstance> tables) {
    return tables.next().size();
  }

  private void requireForkable() {
    for (var memory : memories) {
      if (!(memory instanceof VmMemory)) {
        throw new UnsupportedOperationException(
            "cannot fork a memory outside a vm: memory=" + memory.getClass().getName());
      }
    }
    definedGlobals().forEach(global -> requireNoHeapObject(global.getRefValue()));
    for (var table : definedTables()) {
      for (int i = 0; i < table.size(); i++) {
        requireNoHeapObject(table.objRef(i));
      }
    }
  }

  private static void requireNoHeapObject(@Nullable Object reference) {
    if (reference instanceof WasmGcRef) {
      throw new UnsupportedOperationException(
          "cannot fork references to garbage-collected objects: reference=" + reference);
    }
  }

  private List<GlobalInstance> definedGlobals() {
    return globalsOf(instance);
  }

  private List<GlobalInstance> globalsOf(Instance of) {
    var globals = new ArrayList<GlobalInstance>();
    for (int i = imported(ExternalType.GLOBAL); i < of.globalCount(); i++) {
      globals.add(of.global(i));
    }
    return globals;
  }

  private List<TableInstance> definedTables() {
    return tablesOf(instance);
  }

  private List<TableInstance> tablesOf(Instance of) {
    var tables = new ArrayList<TableInstance>();
    for (int i = imported(ExternalType.TABLE); i < of.tableCount(); i++) {
      tables.add(of.table(i));
    }
    return tables;
  }

  private int imported(ExternalType type) {
    return program.module().importSection().count(type);
  }

  private void copyGlobals(Instance child) {
    var copies = globalsOf(child).iterator();
    for (var global : definedGlobals()) {
      var copy = copies.next();
      if (global.getMutabilityType() == MutabilityType.Var) {
        copy.setValueLow(global.getValueLow());
        copy.setValueHigh(global.getValueHigh());
        copy.setRefValue(global.getRefValue());
        copy.setInstance(rebind(global.getInstance(), child));
      }
    }
  }

  private void copyTables(Instance child) {
    var copies = tablesOf(child).iterator();
    for (var table : definedTables()) {
      var copy = copies.next();
      for (int i = 0; i < table.size(); i++) {
        var owner = rebind(table.instance(i), child);
        if (table.elementType().isObjectRef()) {
          copy.setObjRef(i, table.objRef(i), owner);
        } else {
          copy.setRef(i, table.ref(i), owner);
        }
      }
    }
  }

  /** Where a function reference of the parent leads in the child. */
  private @Nullable Instance rebind(@Nullable Instance owner, Instance child) {
    return instance.equals(owner) ? child : owner;
  }

  /** Ends the process and gives its memory back. Calling it twice does nothing. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      closeAll(memories, host);
    }
  }

  static void closeAll(List<Memory> memories, GuestHost host) {
    for (var memory : memories) {
      if (memory instanceof VmMemory inVm) {
        inVm.close();
      }
    }
    host.close();
  }
}
