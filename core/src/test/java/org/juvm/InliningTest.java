package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.CodeAttribute;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Holds the two halves of an access to the sizes that make the just-in-time compiler treat them as
 * meant: the accessors are inlined into their callers, the slow half is never inlined into them.
 */
class InliningTest {
  /** HotSpot's FreqInlineSize: hot methods with more bytes of code are not inlined. */
  private static final int LARGEST_INLINED = 325;

  @Test
  void slowHalfIsTooLongToBeInlined() throws IOException {
    assertThat(codeLengths(Processor.class, "load")).allMatch(length -> length > LARGEST_INLINED);
    assertThat(codeLengths(Processor.class, "store")).allMatch(length -> length > LARGEST_INLINED);
    assertThat(codeLengths(Processor.class, "resolve"))
        .allMatch(length -> length > LARGEST_INLINED);
  }

  @Test
  void accessorsAreShortEnoughToBeInlined() throws IOException {
    assertThat(codeLengths(Cpu.class, "get")).hasSize(7).allMatch(length -> length < 150);
    assertThat(codeLengths(Cpu.class, "set")).hasSize(7).allMatch(length -> length < 150);
  }

  private static List<Integer> codeLengths(Class<?> type, String method) throws IOException {
    try (InputStream bytes = type.getResourceAsStream(type.getSimpleName() + ".class")) {
      return ClassFile.of().parse(bytes.readAllBytes()).methods().stream()
          .filter(candidate -> candidate.methodName().equalsString(method))
          .map(InliningTest::codeLength)
          .toList();
    }
  }

  private static int codeLength(MethodModel method) {
    return method.findAttribute(Attributes.code()).map(CodeAttribute::codeLength).orElse(0);
  }
}
