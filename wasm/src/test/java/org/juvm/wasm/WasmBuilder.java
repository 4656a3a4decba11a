package org.juvm.wasm;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import run.endive.wasm.Parser;
import run.endive.wasm.WasmModule;

/** Writes small binary modules. Function bodies are given as bytes, without locals and the end. */
public final class WasmBuilder {
  public static final int I32 = 0x7f;
  public static final int I64 = 0x7e;
  public static final int F64 = 0x7c;
  private static final int FUNCTION_REFERENCE = 0x70;
  private static final int END = 0x0b;

  private final List<byte[]> types = new ArrayList<>();
  private final List<byte[]> imports = new ArrayList<>();
  private final List<byte[]> functions = new ArrayList<>();
  private final List<byte[]> tables = new ArrayList<>();
  private final List<byte[]> memories = new ArrayList<>();
  private final List<byte[]> globals = new ArrayList<>();
  private final List<byte[]> exports = new ArrayList<>();
  private final List<byte[]> elements = new ArrayList<>();
  private final List<byte[]> code = new ArrayList<>();
  private final List<byte[]> data = new ArrayList<>();
  private int start = -1;

  public WasmBuilder() {}

  /** Bytes of an instruction sequence; longs and ints alike are single bytes. */
  public static byte[] code(int... bytes) {
    var out = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      out[i] = (byte) bytes[i];
    }
    return out;
  }

  /** A 32-bit constant as an instruction. */
  public static byte[] i32(int value) {
    return join(code(0x41), signed(value));
  }

  public static byte[] join(byte[]... parts) {
    var out = new ByteArrayOutputStream();
    for (var part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  public WasmBuilder memory(int initial, int maximum) {
    memories.add(join(code(1), unsigned(initial), unsigned(maximum)));
    return this;
  }

  public WasmBuilder table(int initial, int maximum) {
    tables.add(join(code(FUNCTION_REFERENCE, 1), unsigned(initial), unsigned(maximum)));
    return this;
  }

  /** A mutable global with an initializer, which is an instruction. */
  public WasmBuilder global(int type, byte[] initializer) {
    globals.add(join(code(type, 1), initializer, code(END)));
    return this;
  }

  public WasmBuilder importFunction(String module, String name, int[] parameters, int[] results) {
    imports.add(join(text(module), text(name), code(0), unsigned(type(parameters, results))));
    return this;
  }

  /** A function, exported unless its name is empty. Returns its index. */
  public int function(String name, int[] parameters, int[] results, byte[]... body) {
    functions.add(unsigned(type(parameters, results)));
    var bytes = join(code(0), join(body), code(END));
    code.add(join(unsigned(bytes.length), bytes));
    int index = imports.size() + functions.size() - 1;
    if (!name.isEmpty()) {
      exports.add(join(text(name), code(0), unsigned(index)));
    }
    return index;
  }

  public WasmBuilder exportMemory() {
    exports.add(join(text("memory"), code(2, 0)));
    return this;
  }

  public WasmBuilder start(int function) {
    start = function;
    return this;
  }

  /** Functions that the table holds from an offset on. */
  public WasmBuilder elements(int offset, int... indexes) {
    var list = new byte[indexes.length][];
    for (int i = 0; i < indexes.length; i++) {
      list[i] = unsigned(indexes[i]);
    }
    elements.add(join(code(0), i32(offset), code(END), unsigned(indexes.length), join(list)));
    return this;
  }

  public WasmBuilder activeData(int offset, byte[] bytes) {
    data.add(join(code(0), i32(offset), code(END), unsigned(bytes.length), bytes));
    return this;
  }

  public WasmBuilder passiveData(byte[] bytes) {
    data.add(join(code(1), unsigned(bytes.length), bytes));
    return this;
  }

  private int type(int[] parameters, int[] results) {
    types.add(
        join(
            code(0x60),
            unsigned(parameters.length),
            code(parameters),
            unsigned(results.length),
            code(results)));
    return types.size() - 1;
  }

  public byte[] build() {
    return join(
        code(0, 'a', 's', 'm', 1, 0, 0, 0),
        section(1, types),
        section(2, imports),
        section(3, functions),
        section(4, tables),
        section(5, memories),
        section(6, globals),
        section(7, exports),
        start < 0 ? code() : sized(8, unsigned(start)),
        section(9, elements),
        data.isEmpty() ? code() : sized(12, unsigned(data.size())),
        section(10, code),
        section(11, data));
  }

  public WasmModule module() {
    return Parser.parse(build());
  }

  private static byte[] section(int id, List<byte[]> entries) {
    return entries.isEmpty()
        ? code()
        : sized(id, join(unsigned(entries.size()), join(entries.toArray(byte[][]::new))));
  }

  private static byte[] sized(int id, byte[] content) {
    return join(code(id), unsigned(content.length), content);
  }

  private static byte[] text(String text) {
    var bytes = text.getBytes(StandardCharsets.UTF_8);
    return join(unsigned(bytes.length), bytes);
  }

  private static byte[] unsigned(int value) {
    var out = new ByteArrayOutputStream();
    int rest = value;
    while (rest >>> 7 != 0) {
      out.write((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    out.write(rest);
    return out.toByteArray();
  }

  private static byte[] signed(int value) {
    var out = new ByteArrayOutputStream();
    int rest = value;
    while (rest < -64 || rest > 63) {
      out.write((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    out.write(rest & 0x7f);
    return out.toByteArray();
  }
}
