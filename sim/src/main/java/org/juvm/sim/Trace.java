package org.juvm.sim;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import java.util.zip.GZIPInputStream;

/**
 * The pages that a program referred to, in order. Immutable.
 *
 * <p>Pages are numbered from zero in the order of their first reference.
 */
public final class Trace {
  /** Of traces of addresses: 4 KiB. */
  private static final int PAGE_SHIFT = 12;

  private static final int GZIP_MAGIC = 0x1f8b;

  /** What a line that is not skipped begins with. */
  private static final Pattern BEGINNING = Pattern.compile("\\d|[ls]\\s");

  private static final Pattern BLOCK = Pattern.compile("\\d{1,18}");

  /** A load or a store, its address and the number of bytes. */
  private static final Pattern ACCESS =
      Pattern.compile("[ls]\\s+0x(\\p{XDigit}{1,16})\\s+(\\d{1,9})");

  private final int[] pages;
  private final int distinct;

  private Trace(int[] pages, int distinct) {
    this.pages = pages;
    this.distinct = distinct;
  }

  /**
   * A trace of given pages.
   *
   * @param pages any numbers
   * @return the trace
   */
  public static Trace of(LongStream pages) {
    Builder builder = new Builder();
    pages.forEachOrdered(builder);
    return builder.build();
  }

  /**
   * Reads a trace, of which each line is either a decimal block number, and a block is a page; or a
   * load or a store, {@code l 0x1fffff58 4} or {@code s 0x1fffff50 1}, whose pages of 4 KiB are
   * referred to. Other lines are skipped, unless they begin with a digit or with {@code l} or
   * {@code s}.
   *
   * @param file the file, which may be compressed by gzip
   * @return the trace
   * @throws TraceException if a line is neither, or nothing is referred to
   * @throws IOException if the file cannot be read
   */
  public static Trace read(Path file) throws IOException {
    Builder builder = new Builder();
    try (InputStream bytes = open(file);
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(bytes, StandardCharsets.ISO_8859_1))) {
      long number = 0;
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        number++;
        if (!parse(line.strip(), builder)) {
          throw new TraceException(
              "line " + number + " is neither a block number nor an access like 'l 0x1f40 4'");
        }
      }
    }
    if (builder.count == 0) {
      throw new TraceException("no trace: nothing is referred to");
    }
    return builder.build();
  }

  private static InputStream open(Path file) throws IOException {
    InputStream bytes = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    try {
      bytes.mark(2);
      boolean compressed = (bytes.read() << Byte.SIZE | bytes.read()) == GZIP_MAGIC;
      bytes.reset();
      return compressed ? new GZIPInputStream(bytes, 1 << 16) : bytes;
    } catch (IOException e) {
      bytes.close();
      throw e;
    }
  }

  private static boolean parse(String line, Builder builder) {
    if (BLOCK.matcher(line).matches()) {
      builder.accept(Long.parseLong(line));
      return true;
    }
    Matcher access = ACCESS.matcher(line);
    if (access.matches()) {
      long address = Long.parseUnsignedLong(access.group(1), 16);
      long last = address + Math.max(1, Long.parseLong(access.group(2))) - 1;
      for (long page = address >>> PAGE_SHIFT; page <= last >>> PAGE_SHIFT; page++) {
        builder.accept(page);
      }
      return true;
    }
    return line.isEmpty() || !BEGINNING.matcher(line).lookingAt();
  }

  /**
   * The number of references.
   *
   * @return references
   */
  public int references() {
    return pages.length;
  }

  /**
   * The number of different pages.
   *
   * @return pages
   */
  public int distinct() {
    return distinct;
  }

  /**
   * A reference.
   *
   * @param index from 0 to less than {@link #references}
   * @return the number of the page, from 0 to less than {@link #distinct}
   */
  int page(int index) {
    return pages[index];
  }

  private static final class Builder implements LongConsumer {
    private final Map<Long, Integer> numbers = new HashMap<>();
    private int[] pages = new int[1 << 12];
    private int count;

    @Override
    public void accept(long page) {
      if (count == pages.length) {
        pages = Arrays.copyOf(pages, Math.multiplyExact(count, 2));
      }
      pages[count++] = numbers.computeIfAbsent(page, ignored -> numbers.size());
    }

    Trace build() {
      return new Trace(Arrays.copyOf(pages, count), numbers.size());
    }
  }
}
