package org.juvm.wasm.program;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.juvm.wasm.WasmProcess;
import org.juvm.wasm.WasmProgram;
import org.juvm.wasm.sqlite4j.SQLiteModule;
import run.endive.runtime.ExportFunction;
import run.endive.runtime.HostFunction;
import run.endive.runtime.TrapException;
import run.endive.wasm.types.FunctionImport;

/**
 * SQLite with one open database in its memory.
 *
 * <p>A {@linkplain #fork() fork} is a database of its own with the same content, prepared in less
 * than a millisecond and sharing all pages that neither side has written.
 *
 * <p>Used by one thread at a time.
 */
public final class SqliteSession implements AutoCloseable {
  private static final String NAME = "sqlite";

  /** Large sorts go to files otherwise, and there may be no directory for them. */
  private static final String NO_TEMPORARY_FILES = "PRAGMA temp_store = MEMORY";

  private static final int OK = 0;
  private static final int ROW = 100;
  private static final int OPEN_READ_WRITE_CREATE = 2 | 4;
  private static final int POINTER_BYTES = 4;

  /** The compiled module, loaded when the first session starts. */
  private static final class Code {
    static final WasmProgram PROGRAM =
        WasmProgram.precompiled(SQLiteModule.load(), SQLiteModule::create);
  }

  private final GuestEnvironment environment;
  private final WasmProcess process;

  /** The open database, as a pointer of the guest. */
  private final int database;

  /** Two pointers of the guest's that its functions write results to. */
  private final int results;

  private final ExportFunction step;
  private final ExportFunction columnText;
  private final ExportFunction columnBytes;

  private SqliteSession(
      GuestEnvironment environment, WasmProcess process, int database, int results) {
    this.environment = environment;
    this.process = process;
    this.database = database;
    this.results = results;
    this.step = process.instance().export("sqlite3_step");
    this.columnText = process.instance().export("sqlite3_column_text");
    this.columnBytes = process.instance().export("sqlite3_column_bytes");
  }

  /**
   * Starts SQLite and opens an empty database in memory. Databases in the directories of the
   * environment can be attached.
   *
   * @param environment where the memory comes from, and which directories there are
   * @return the session, to be closed by the caller
   */
  public static SqliteSession open(GuestEnvironment environment) {
    var process = Code.PROGRAM.start(environment.memories(), host(environment));
    try {
      process.call("_initialize");
      int results = process.callInt("malloc", 2 * POINTER_BYTES);
      int name = allocate(process, ":memory:");
      int code = process.callInt("sqlite3_open_v2", name, results, OPEN_READ_WRITE_CREATE, 0);
      process.call("free", name);
      if (code != OK) {
        throw new SqliteException(code, true, "cannot open a database in memory");
      }
      int database = process.memory().readInt(results);
      var session = new SqliteSession(environment, process, database, results);
      session.execute(NO_TEMPORARY_FILES);
      return session;
    } catch (RuntimeException | Error e) {
      process.close();
      throw e;
    }
  }

  /** The callbacks for functions written in Java, of which no session defines any. */
  private static WasiHost host(GuestEnvironment environment) {
    var module = Code.PROGRAM.module();
    var callbacks = new ArrayList<HostFunction>();
    for (int i = 0; i < module.importSection().importCount(); i++) {
      if (module.importSection().getImport(i) instanceof FunctionImport function
          && function.module().equals("env")) {
        callbacks.add(
            new HostFunction(
                function.module(),
                function.name(),
                module.typeSection().getType(function.typeIndex()),
                (instance, arguments) -> {
                  throw new TrapException("callback without a handler: " + function.name());
                }));
      }
    }
    return new WasiHost(environment, NAME, callbacks.toArray(HostFunction[]::new));
  }

  /**
   * Makes a second session with the same database, which goes its own way from here. No statement
   * may be running.
   *
   * @return the child, to be closed by the caller
   * @throws UnsupportedOperationException if the memory of this session is not in a vm
   */
  public SqliteSession fork() {
    return new SqliteSession(environment, process.fork(host(environment)), database, results);
  }

  /**
   * The running module.
   *
   * @return the process that this session drives
   */
  public WasmProcess process() {
    return process;
  }

  /**
   * Runs statements and forgets their rows.
   *
   * @param sql statements, separated by semicolons
   * @throws SqliteException if one of them fails; those before it have taken effect
   */
  public void execute(String sql) {
    run(sql, row -> {});
  }

  /**
   * Runs statements and collects their rows.
   *
   * @param sql statements, separated by semicolons
   * @return the rows, each with its columns separated by {@code |} and with nothing for NULL
   * @throws SqliteException if one of them fails; those before it have taken effect
   */
  public List<String> query(String sql) {
    var rows = new ArrayList<String>();
    run(sql, row -> rows.add(new String(row, StandardCharsets.UTF_8)));
    return rows;
  }

  /**
   * Runs statements.
   *
   * @param sql statements, separated by semicolons
   * @param rows gets each row as UTF-8, its columns separated by {@code |}, with nothing for NULL
   * @throws SqliteException if one of them fails; those before it have taken effect
   */
  void run(String sql, Consumer<byte[]> rows) {
    process.enter();
    int text = allocate(process, sql);
    try {
      int next = text;
      while (process.memory().read(next) != 0) {
        int code =
            process.callInt(
                "sqlite3_prepare_v2", database, next, -1, results, results + POINTER_BYTES);
        if (code != OK) {
          throw new SqliteException(code, false, message());
        }
        int statement = process.memory().readInt(results);
        next = process.memory().readInt(results + POINTER_BYTES);
        if (statement != 0) {
          runPrepared(statement, rows);
        }
      }
    } finally {
      process.call("free", text);
    }
  }

  private void runPrepared(int statement, Consumer<byte[]> rows) {
    int columns = process.callInt("sqlite3_column_count", statement);
    while ((int) step.apply(statement)[0] == ROW) {
      rows.accept(row(statement, columns));
    }
    int code = process.callInt("sqlite3_finalize", statement);
    if (code != OK) {
      throw new SqliteException(code, true, message());
    }
  }

  private byte[] row(int statement, int columns) {
    var row = new ByteArrayOutputStream();
    for (int i = 0; i < columns; i++) {
      if (i > 0) {
        row.write('|');
      }
      int text = (int) columnText.apply(statement, i)[0];
      if (text != 0) {
        row.writeBytes(process.memory().readBytes(text, (int) columnBytes.apply(statement, i)[0]));
      }
    }
    return row.toByteArray();
  }

  /**
   * Whether a text ends at the end of a statement.
   *
   * @param sql some lines of a script
   * @return whether a semicolon ends it that is not inside of a literal, comment or trigger
   */
  boolean isComplete(String sql) {
    int text = allocate(process, sql);
    try {
      return process.callInt("sqlite3_complete", text) != 0;
    } finally {
      process.call("free", text);
    }
  }

  private String message() {
    return process.memory().readCString(process.callInt("sqlite3_errmsg", database));
  }

  /** Copies a text into memory of the guest. */
  private static int allocate(WasmProcess process, String text) {
    var bytes = text.getBytes(StandardCharsets.UTF_8);
    int address = process.callInt("malloc", bytes.length + 1L);
    if (address == 0) {
      throw new SqliteException(7, false, "out of memory");
    }
    process.memory().write(address, bytes);
    process.memory().writeByte(address + bytes.length, (byte) 0);
    return address;
  }

  /** Ends SQLite and gives its memory back, without closing the database first. */
  @Override
  public void close() {
    process.close();
  }
}
