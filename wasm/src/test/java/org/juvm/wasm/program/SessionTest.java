package org.juvm.wasm.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.juvm.wasm.WithVm;

/** Programs that others wrote, alone and forked. */
class SessionTest extends WithVm {
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();
  private final ByteArrayOutputStream errors = new ByteArrayOutputStream();
  private final GuestEnvironment environment = GuestEnvironment.in(vm).withOutput(output, errors);

  private String output() {
    return output.toString(StandardCharsets.UTF_8);
  }

  private String errors() {
    return errors.toString(StandardCharsets.UTF_8);
  }

  @Test
  void sqliteAnswersInListMode() {
    try (var sqlite = SqliteSession.open(environment)) {
      sqlite.execute("create table t (a, b); insert into t values (1, null), (2.5, 'zwölf')");
      assertThat(sqlite.query("select *, 7 from t; select count(*) from t"))
          .containsExactly("1||7", "2.5|zwölf|7", "2");
    }
  }

  @Test
  void sqliteReportsWhatIsWrong() {
    try (var sqlite = SqliteSession.open(environment)) {
      sqlite.execute("create table t (a primary key)");
      assertThatThrownBy(() -> sqlite.execute("insert into t values (1); insert into t values (1)"))
          .isInstanceOfSatisfying(
              SqliteException.class,
              e -> {
                assertThat(e.code()).isEqualTo(19);
                assertThat(e.isAfterParsing()).isTrue();
              })
          .hasMessageContaining("UNIQUE");
      assertThatThrownBy(() -> sqlite.execute("select * frm t"))
          .isInstanceOfSatisfying(
              SqliteException.class, e -> assertThat(e.isAfterParsing()).isFalse());
      assertThat(sqlite.query("select count(*) from t")).containsExactly("1");
    }
  }

  @Test
  void forkedDatabasesGoTheirOwnWays() {
    int rows = 2000;
    int forks = 20;
    try (var parent = SqliteSession.open(environment)) {
      parent.execute(
          """
          create table t (id integer primary key, name text);
          create index i on t (name);
          with recursive c (n) as (select 1 union all select n + 1 from c where n < %d)
          insert into t select n, 'name' || n from c;
          """
              .formatted(rows));
      long pages = vm.statistics().usedFrames();
      var children = new SqliteSession[forks];
      try {
        for (int i = 0; i < forks; i++) {
          children[i] = parent.fork();
          children[i].execute("delete from t where id %% %d = %d".formatted(forks, i));
        }
        parent.execute("insert into t values (0, 'parent')");
        for (int i = 0; i < forks; i++) {
          assertThat(
                  children[i].query("select count(*), sum(id % " + forks + " = " + i + ") from t"))
              .containsExactly(rows - rows / forks + "|0");
          assertThat(children[i].query("pragma integrity_check")).containsExactly("ok");
        }
        assertThat(parent.query("select count(*) from t; pragma integrity_check"))
            .containsExactly(rows + 1 + "", "ok");
        assertThat(vm.statistics().usedFrames()).isLessThan(pages * forks);
        assertThat(vm.audit()).isEmpty();
      } finally {
        for (var child : children) {
          child.close();
        }
      }
    }
  }

  @Test
  void aForkOfAForkIsAFork() {
    try (var parent = SqliteSession.open(environment)) {
      parent.execute("create table t (a); insert into t values (1)");
      try (var child = parent.fork()) {
        child.execute("insert into t values (2)");
        try (var grandchild = child.fork()) {
          parent.execute("drop table t");
          child.execute("update t set a = a * 10");
          assertThat(grandchild.query("select a from t")).containsExactly("1", "2");
          assertThat(child.query("select a from t")).containsExactly("10", "20");
        }
      }
    }
  }

  @Test
  void theSqliteShellGoesOnAfterErrors() {
    var script =
        """
        create table t (a primary key);

        insert into t
          values (1);
        insert into t values (1);
        select 'semicolon; in text', a from t;
        select a from nowhere;
        select 'last'\
        """;
    int status = new SqliteProgram().run(withInput(script));
    assertThat(output()).isEqualTo("semicolon; in text|1\nlast\n");
    assertThat(errors().lines())
        .containsExactly(
            "Runtime error near line 5: UNIQUE constraint failed: t.a (19)",
            "Parse error near line 7: no such table: nowhere");
    assertThat(status).isEqualTo(1);
  }

  private GuestEnvironment withInput(String text) {
    return environment.withInput(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void javaScriptPrintsAndSeesItsArguments() {
    var script = "#!/usr/bin/env juvm\nconsole.log(scriptArgs[1], [1, 2].map((x) => x * x));";
    int status =
        new JavaScriptProgram(script).run(environment.withArguments(List.of("a", "\"ü\" b")));
    assertThat(output()).isEqualTo("\"ü\" b 1,4\n");
    assertThat(errors()).isEmpty();
    assertThat(status).isZero();
  }

  @Test
  void javaScriptErrorsSayWhereTheyAre() {
    var script = "console.error('before');\nnull.field;";
    assertThat(new JavaScriptProgram(script).run(environment)).isEqualTo(1);
    assertThat(errors())
        .startsWith("before\nError: cannot read property")
        .contains(":2:1")
        .doesNotContain("panicked");
    errors.reset();
    assertThat(new JavaScriptProgram("let x = ;").run(environment)).isEqualTo(1);
    assertThat(errors()).contains("unexpected token").doesNotContain("panicked");
  }

  @Test
  void forkedInterpretersHaveTheirOwnObjects() {
    try (var parent = JavaScriptSession.start(environment)) {
      assertThat(parent.run("globalThis.m = new Map([['k', 1]]);")).isZero();
      try (var child = parent.fork()) {
        assertThat(child.run("m.set('k', m.get('k') + 1); console.log(m.get('k'));")).isZero();
        assertThat(parent.run("console.log(m.get('k'));")).isZero();
      }
    }
    assertThat(output()).isEqualTo("2\n1\n");
  }

  @Test
  void pythonRunsScriptsAsItsCommandLineDoes() {
    var script =
        """
        import atexit, os, sys
        atexit.register(print, 'at exit')
        print(__name__, sys.argv, os.environ['COLOUR'], sys.stdin.readline())
        def f():
            raise ValueError('wrong')
        f()
        """;
    int status =
        onLargeStack(
            () ->
                new PythonProgram("s.py", script.getBytes(StandardCharsets.UTF_8))
                    .run(
                        withInput("input")
                            .withArguments(List.of("x", "y z"))
                            .withVariables(Map.of("COLOUR", "blue"))));
    assertThat(output()).isEqualTo("__main__ ['s.py', 'x', 'y z'] blue input\nat exit\n");
    assertThat(errors())
        .startsWith("Traceback")
        .contains("File \"s.py\", line 6, in <module>", "raise ValueError('wrong')")
        .endsWith("ValueError: wrong\n")
        .doesNotContain("guest.py");
    assertThat(status).isEqualTo(1);
  }

  @Test
  void forkedPythonsHaveTheirOwnObjects() {
    onLargeStack(
        () -> {
          try (var parent = PythonSession.start(environment)) {
            assertThat(parent.run("import json, sys; d = {'k': 1}; sys.exit(3)")).isEqualTo(3);
            try (var child = parent.fork();
                var other = parent.fork()) {
              assertThat(child.run("d['k'] = 2; print(json.dumps(d))")).isZero();
              assertThat(other.run("d['k'] += 10; print(d); sys.exit('bad')")).isEqualTo(1);
              assertThat(parent.run("import decimal; print(d)")).isZero();
            }
          }
          return null;
        });
    assertThat(output()).isEqualTo("{\"k\": 2}\n{'k': 11}\n{'k': 1}\n");
    assertThat(errors()).isEqualTo("bad\n");
  }
}
