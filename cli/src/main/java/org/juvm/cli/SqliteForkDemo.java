package org.juvm.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.concurrent.Callable;
import org.juvm.Vm;
import org.juvm.wasm.program.GuestEnvironment;
import org.juvm.wasm.program.SqliteSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code juvm demo sqlite-fork}: one database, forked many times while it is open. */
@Command(
    name = "sqlite-fork",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Fills an SQLite database, forks it, deletes different rows in each child,",
      "and then asks all of them, and the parent, whether everything is right."
    })
final class SqliteForkDemo implements Callable<Integer> {
  private static final String OK = "ok";
  private static final double NANOS_PER_MILLI = 1e6;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--rows",
      paramLabel = "N",
      defaultValue = "200000",
      description = "Rows of the parent. Default: ${DEFAULT-VALUE}.")
  private int rows;

  @Option(
      names = "--forks",
      paramLabel = "N",
      defaultValue = "200",
      description = "Children. Default: ${DEFAULT-VALUE}.")
  private int forks;

  @Mixin private SystemOptions system = new SystemOptions();

  SqliteForkDemo() {}

  @Override
  public Integer call() {
    if (forks < 1 || rows < forks) {
      throw Failure.usage("there must be a child, and a row for each child to delete");
    }
    try (var vm = system.boot()) {
      return GuestThread.call(() -> run(vm));
    } catch (Throwable e) {
      return Main.report(spec.commandLine(), Failure.of(e, system.budget()));
    }
  }

  private int run(Vm vm) {
    var out = spec.commandLine().getOut();
    var children = new ArrayList<SqliteSession>();
    try (var parent = SqliteSession.open(GuestEnvironment.in(vm))) {
      fill(parent);
      out.printf(
          "parent: %,d rows in %,d pages of %,d bytes%n",
          rows, vm.statistics().usedFrames(), vm.pageSize());
      try {
        fork(vm, parent, children, out);
        return check(vm, parent, children, out);
      } finally {
        children.forEach(SqliteSession::close);
      }
    } finally {
      out.flush();
    }
  }

  private void fill(SqliteSession parent) {
    parent.execute(
        """
        create table item (id integer primary key, name text, value integer);
        create index item_name on item (name);
        begin;
        with recursive counter (n) as (select 0 union all select n + 1 from counter where n < %d)
        insert into item select n, 'name' || n, (n * 2654435761) %% 1000003 from counter;
        commit;
        """
            .formatted(rows - 1));
  }

  private void fork(Vm vm, SqliteSession parent, List<SqliteSession> children, PrintWriter out) {
    var forkNanos = new LongSummaryStatistics();
    var privatePages = new LongSummaryStatistics();
    for (int i = 0; i < forks; i++) {
      long pagesBefore = vm.statistics().usedFrames();
      long start = System.nanoTime();
      var child = parent.fork();
      forkNanos.accept(System.nanoTime() - start);
      children.add(child);
      child.execute(
          "delete from item where id >= %d and id < %d".formatted(first(i), first(i + 1)));
      privatePages.accept(vm.statistics().usedFrames() - pagesBefore);
    }
    out.printf(
        "fork: %.3f ms on average, %.3f ms at best, %.3f ms at worst, of memory and instance%n",
        forkNanos.getAverage() / NANOS_PER_MILLI,
        forkNanos.getMin() / NANOS_PER_MILLI,
        forkNanos.getMax() / NANOS_PER_MILLI);
    out.printf(
        "private pages of a child that deleted %,d rows: %.1f on average, %d to %d%n",
        first(1), privatePages.getAverage(), privatePages.getMin(), privatePages.getMax());
    out.flush();
  }

  /** The first of the rows that a child deletes. */
  private long first(int child) {
    return (long) rows * child / forks;
  }

  private int check(Vm vm, SqliteSession parent, List<SqliteSession> children, PrintWriter out) {
    int wrong = 0;
    for (int i = 0; i < children.size(); i++) {
      long deleted = first(i + 1) - first(i);
      wrong += isRight(children.get(i), rows - deleted, first(i), first(i + 1)) ? 0 : 1;
    }
    boolean parentIsRight = isRight(parent, rows, rows, rows);
    var differences = vm.audit();
    out.printf(
        "children whose rows and integrity_check are right: %d of %d%n",
        children.size() - wrong, children.size());
    out.printf("parent: %s%n", parentIsRight ? "unchanged, integrity_check ok" : "WRONG");
    out.printf(
        "vm: %,d pages in use for all, audit: %s%n",
        vm.statistics().usedFrames(), differences.isEmpty() ? OK : differences);
    return wrong == 0 && parentIsRight && differences.isEmpty() ? ExitStatus.OK : ExitStatus.FAILED;
  }

  /**
   * Whether a database has so many rows, none of them in a range, and is sound. A fork is asked:
   * SQLite counts references in the pages that it reads, and would end with copies of all of them.
   */
  private static boolean isRight(SqliteSession database, long expected, long from, long to) {
    try (var copy = database.fork()) {
      var answers =
          copy.query(
              """
              select count(*), total(id >= %1$d and id < %2$d) from item;
              select count(*) from item indexed by item_name where name >= '';
              pragma integrity_check;
              """
                  .formatted(from, to));
      return answers.equals(List.of(expected + "|0.0", Long.toString(expected), OK));
    }
  }
}
