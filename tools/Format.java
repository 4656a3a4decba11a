import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks or fixes the layout of every Java file below a directory: {@code Format check|fix
 * <directory>}. Build output and hidden directories are not looked at. Exits with 1 when a file is
 * not formatted (check) or cannot be parsed.
 */
final class Format {
  private Format() {}

  public static void main(String[] args) throws IOException {
    boolean fix = args[0].equals("fix");
    Path root = Path.of(args[1]);
    List<String> complaints =
        sources(root).parallelStream()
            .map(file -> format(root, file, fix))
            .filter(complaint -> !complaint.isEmpty())
            .sorted()
            .toList();
    if (!complaints.isEmpty()) {
      complaints.forEach(System.err::println);
      System.err.println("To format the sources: mvn -N -Pformat verify");
      System.exit(1);
    }
  }

  private static List<Path> sources(Path root) throws IOException {
    List<Path> files = new ArrayList<>();
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            String name = directory.getFileName().toString();
            boolean skip =
                !directory.equals(root) && (name.equals("target") || name.startsWith("."));
            return skip ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (file.toString().endsWith(".java")) {
              files.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return files;
  }

  /** Returns what is wrong with the file, or nothing. */
  private static String format(Path root, Path file, boolean fix) {
    try {
      String before = Files.readString(file);
      String after = new Formatter().formatSourceAndFixImports(before);
      if (after.equals(before)) {
        return "";
      }
      if (!fix) {
        return root.relativize(file) + ": not formatted";
      }
      Files.writeString(file, after);
      return "";
    } catch (FormatterException e) {
      return root.relativize(file) + ": " + e.getMessage();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
