package org.juvm.cli;

import java.util.Locale;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A number of bytes on the command line: digits, and {@code k}, {@code m} or {@code g} for a power
 * of 1024.
 *
 * @param bytes the number
 */
record MemorySize(long bytes) {
  /** Less than this does not hold a page for each of the things that every guest touches first. */
  private static final long MINIMUM_BYTES = 64 << 10;

  private static final Pattern SYNTAX = Pattern.compile("(\\d{1,18})([kmg]?)b?");
  private static final String UNITS = "kmg";

  /** Reads sizes for picocli. */
  static final class Converter implements ITypeConverter<MemorySize> {
    Converter() {}

    @Override
    public MemorySize convert(String text) {
      var match = SYNTAX.matcher(text.toLowerCase(Locale.ROOT));
      if (!match.matches()) {
        throw new TypeConversionException("not a size like 512k, 64m or 1g: '" + text + "'");
      }
      int shift = match.group(2).isEmpty() ? 0 : 10 * (UNITS.indexOf(match.group(2)) + 1);
      long number = Long.parseLong(match.group(1));
      if (number > Long.MAX_VALUE >> shift) {
        throw new TypeConversionException("too large: '" + text + "'");
      }
      if (number << shift < MINIMUM_BYTES) {
        throw new TypeConversionException("less than 64k: '" + text + "'");
      }
      return new MemorySize(number << shift);
    }
  }

  /** Bytes in the largest binary unit that divides them. */
  static String format(long bytes) {
    String[] names = {"bytes", "KiB", "MiB", "GiB"};
    int unit = 0;
    long number = bytes;
    while (unit < names.length - 1 && number != 0 && number % 1024 == 0) {
      number /= 1024;
      unit++;
    }
    return number + " " + names[unit];
  }
}
