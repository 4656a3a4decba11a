package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The rules of the package layout, read from the class files: what a package may use is decided by
 * its rank.
 *
 * <p>Constants that the compiler has copied leave no trace in a class file, so this test does not
 * see them.
 */
class ArchitectureTest {

  /** A package uses only packages of lower rank, and none of its own rank but itself. */
  private static final Map<String, Integer> RANKS =
      Map.ofEntries(
          Map.entry("org/juvm/base", 0),
          Map.entry("org/juvm/sync", 1),
          Map.entry("org/juvm/trace", 1),
          Map.entry("org/juvm/ram", 2),
          Map.entry("org/juvm/store", 2),
          Map.entry("org/juvm/page", 3),
          Map.entry("org/juvm/pmap", 4),
          Map.entry("org/juvm/swap", 4),
          Map.entry("org/juvm/anon", 5),
          Map.entry("org/juvm/object", 5),
          Map.entry("org/juvm/map", 6),
          Map.entry("org/juvm/fault", 7),
          Map.entry("org/juvm/pageout", 7),
          Map.entry("org/juvm/kernel", 8),
          Map.entry("org/juvm/loan", 8),
          Map.entry("org/juvm/check", 8),
          Map.entry("org/juvm", 9),
          Map.entry("org/juvm/posix", 10));

  /** Parts of the JDK that only some packages may use. */
  private static final Map<String, Set<String>> RESERVED =
      Map.of(
          "java/lang/foreign/", Set.of("org/juvm/ram", "org/juvm/store", "org/juvm"),
          "java/util/concurrent/locks/", Set.of("org/juvm/sync"),
          "sun/misc/Unsafe", Set.of(),
          "jdk/internal/", Set.of());

  /**
   * Methods that nobody calls: time is injected, and no result depends on the machine's settings.
   */
  private static final Set<String> FORBIDDEN =
      Set.of(
          "java/lang/Thread.sleep(J)V",
          "java/lang/Thread.sleep(JI)V",
          "java/lang/Thread.sleep(Ljava/time/Duration;)V",
          "java/lang/System.currentTimeMillis()J",
          "java/lang/String.getBytes()[B",
          "java/lang/String.<init>([B)V",
          "java/lang/String.<init>([BII)V",
          "java/lang/String.toLowerCase()Ljava/lang/String;",
          "java/lang/String.toUpperCase()Ljava/lang/String;");

  /**
   * A class of this project, however it is mentioned: by name, in a descriptor or in a signature.
   */
  private static final Pattern OWN_CLASS = Pattern.compile("(org/juvm(?:/[a-z][a-z0-9_]*)*)/[A-Z]");

  @Test
  void packagesDependOnlyOnLowerRanks() throws IOException {
    Set<String> violations = new TreeSet<>();
    for (ClassModel type : classes()) {
      String from = packageOf(type);
      Integer rank = RANKS.get(from);
      if (rank == null) {
        violations.add(from + " has no rank");
        continue;
      }
      for (String text : texts(type)) {
        Matcher matcher = OWN_CLASS.matcher(text);
        while (matcher.find()) {
          String to = matcher.group(1);
          if (!to.equals(from) && RANKS.getOrDefault(to, Integer.MAX_VALUE) >= rank) {
            violations.add(name(type) + " uses " + to);
          }
        }
      }
    }
    assertThat(violations).isEmpty();
  }

  @Test
  void reservedPartsOfTheJdkAreUsedOnlyByTheirPackages() throws IOException {
    Set<String> violations = new TreeSet<>();
    for (ClassModel type : classes()) {
      for (String text : texts(type)) {
        RESERVED.forEach(
            (part, users) -> {
              if (text.contains(part) && !users.contains(packageOf(type))) {
                violations.add(name(type) + " uses " + part);
              }
            });
      }
    }
    assertThat(violations).isEmpty();
  }

  @Test
  void forbiddenMethodsAreNotCalled() throws IOException {
    Set<String> violations = new TreeSet<>();
    for (ClassModel type : classes()) {
      for (PoolEntry entry : type.constantPool()) {
        if (entry instanceof MemberRefEntry member) {
          String method =
              member.owner().asInternalName()
                  + "."
                  + member.name().stringValue()
                  + member.type().stringValue();
          if (FORBIDDEN.contains(method)) {
            violations.add(name(type) + " calls " + method);
          }
        }
      }
    }
    assertThat(violations).isEmpty();
  }

  @Test
  void everyPackageIsDescribed() throws IOException {
    Set<String> undescribed = new TreeSet<>();
    Path sources = module().resolve("src/main/java");
    for (ClassModel type : classes()) {
      String name = packageOf(type);
      if (!Files.exists(sources.resolve(name).resolve("package-info.java"))) {
        undescribed.add(name);
      }
    }
    assertThat(undescribed).isEmpty();
  }

  /** The directory of this module: that of the build, or the current one in an editor. */
  private static Path module() {
    return Path.of(System.getProperty("basedir", ""));
  }

  private static List<ClassModel> classes() throws IOException {
    Path root = module().resolve("target/classes");
    try (Stream<Path> files = Files.walk(root)) {
      List<ClassModel> classes =
          files
              .filter(file -> file.toString().endsWith(".class"))
              .filter(file -> !file.endsWith("module-info.class"))
              .map(ArchitectureTest::parse)
              .toList();
      assertThat(classes).isNotEmpty();
      return classes;
    }
  }

  private static ClassModel parse(Path file) {
    try {
      return ClassFile.of().parse(file);
    } catch (IOException e) {
      throw new AssertionError(file.toString(), e);
    }
  }

  /** Every text in the constant pool; names, descriptors and signatures are among them. */
  private static List<String> texts(ClassModel type) {
    Stream.Builder<String> texts = Stream.builder();
    for (PoolEntry entry : type.constantPool()) {
      if (entry instanceof Utf8Entry text) {
        texts.add(text.stringValue());
      }
    }
    return texts.build().toList();
  }

  private static String packageOf(ClassModel type) {
    String name = name(type);
    return name.substring(0, name.lastIndexOf('/'));
  }

  private static String name(ClassModel type) {
    return type.thisClass().asInternalName();
  }
}
