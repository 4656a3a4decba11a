package org.juvm.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class EncryptedStoreTest {
  private static final int BLOCK = 1024;
  private static final int BLOCKS = 600;

  private final MemoryStore device = new MemoryStore();
  private final EncryptedStore store =
      new EncryptedStore(device, BLOCK, BLOCKS, new HostBuffers(BLOCK));
  private final MemorySegment memory = Arena.ofAuto().allocate((long) BLOCKS * BLOCK);

  private void fill(int block, long text) {
    for (int i = 0; i < BLOCK; i += Long.BYTES) {
      memory.set(ValueLayout.JAVA_LONG, (long) block * BLOCK + i, text);
    }
  }

  private void check(int block, long text) {
    for (int i = 0; i < BLOCK; i += Long.BYTES) {
      assertThat(memory.get(ValueLayout.JAVA_LONG, (long) block * BLOCK + i)).isEqualTo(text);
    }
  }

  /** How often each 16 bytes, a block of the cipher, occur in what is stored. */
  private Set<List<Long>> words() {
    Set<List<Long>> words = new HashSet<>();
    MemorySegment stored = MemorySegment.ofArray(device.contents());
    for (long i = 0; i + 16 <= stored.byteSize(); i += 16) {
      words.add(
          List.of(
              stored.get(ValueLayout.JAVA_LONG_UNALIGNED, i),
              stored.get(ValueLayout.JAVA_LONG_UNALIGNED, i + 8)));
    }
    return words;
  }

  private byte[] stored(int block) {
    return Arrays.copyOfRange(device.contents(), block * BLOCK, (block + 1) * BLOCK);
  }

  @Test
  void S4_blocksComeBack() throws IOException {
    for (int block = 0; block < BLOCKS; block++) {
      fill(block, block);
    }
    store.write(0, memory, 0, (long) BLOCKS * BLOCK);
    long[] to = {5, 0, 9, 3};
    for (int i = 0; i < to.length; i++) {
      to[i] *= BLOCK;
    }
    assertThat(store.read(100 * BLOCK, memory, to, 4, BLOCK)).isEqualTo(4 * BLOCK);
    for (int i = 0; i < to.length; i++) {
      check((int) (to[i] / BLOCK), 100 + i);
    }
    store.write(200 * BLOCK, memory, to, 4, BLOCK);
    memory.fill((byte) 0);
    assertThat(store.read(0, memory, 0, (long) BLOCKS * BLOCK)).isEqualTo((long) BLOCKS * BLOCK);
    for (int block = 0; block < BLOCKS; block++) {
      check(block, block >= 200 && block < 204 ? block - 100 : block);
    }
  }

  /** Gathered writes of more than one bounce buffer's worth. */
  @Test
  void S4_longGatheredWrites() throws IOException {
    long[] from = new long[BLOCKS];
    for (int block = 0; block < BLOCKS; block++) {
      fill(block, block);
      from[block] = (long) (BLOCKS - 1 - block) * BLOCK;
    }
    store.write(0, memory, from, BLOCKS, BLOCK);
    assertThat(store.read(0, memory, 0, (long) BLOCKS * BLOCK)).isEqualTo((long) BLOCKS * BLOCK);
    for (int block = 0; block < BLOCKS; block++) {
      check(block, BLOCKS - 1 - block);
    }
  }

  /** All blocks hold one text; what is stored has no 16 bytes twice, and none of the text. */
  @Test
  void S4_nothingReadableIsStored() throws IOException {
    for (int block = 0; block < BLOCKS; block++) {
      fill(block, 0x1234_5678_9abc_def0L);
    }
    store.write(0, memory, 0, (long) BLOCKS * BLOCK);
    assertThat(words())
        .hasSize(BLOCKS * BLOCK / 16)
        .doesNotContain(List.of(0x1234_5678_9abc_def0L, 0x1234_5678_9abc_def0L));
  }

  /** No two writes have one key stream: the difference of two stored texts says nothing. */
  @Test
  void S4_rewritesLookDifferent() throws IOException {
    Set<List<Long>> streams = new HashSet<>();
    int writes = 50;
    for (int i = 0; i < writes; i++) {
      fill(0, 0);
      store.write(BLOCK, memory, 0, BLOCK);
      streams.add(
          MemorySegment.ofArray(stored(1))
              .elements(ValueLayout.JAVA_LONG_UNALIGNED)
              .map(word -> word.get(ValueLayout.JAVA_LONG_UNALIGNED, 0))
              .toList());
    }
    assertThat(streams.stream().flatMap(List::stream).distinct()).hasSize(writes * BLOCK / 8);
  }

  @Test
  void S4_memoryThatIsWrittenIsNotChanged() throws IOException {
    fill(0, 77);
    store.write(0, memory, 0, BLOCK);
    check(0, 77);
  }

  @Test
  void S4_eachStoreHasItsOwnKey() throws IOException {
    EncryptedStore other = new EncryptedStore(device, BLOCK, BLOCKS, new HostBuffers(BLOCK));
    fill(0, 1);
    store.write(0, memory, 0, BLOCK);
    byte[] first = stored(0);
    other.write(0, memory, 0, BLOCK);
    assertThat(stored(0)).isNotEqualTo(first);
  }

  @Test
  void S4_whatWasThereBeforeIsNotRead() throws IOException {
    device.resize(10 * BLOCK);
    fill(0, 1);
    store.write(0, memory, 0, BLOCK);
    assertThatThrownBy(() -> store.read(BLOCK, memory, 0, BLOCK))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("block=1");
    assertThat(store.size()).isEqualTo(10 * BLOCK);
  }

  @Test
  void S4_shortReadsOfWholeBlocks() throws IOException {
    store.write(0, memory, 0, 2 * BLOCK);
    assertThat(store.read(BLOCK, memory, 0, 2 * BLOCK)).isEqualTo(BLOCK);
    store.resize(BLOCK + 5);
    assertThatThrownBy(() -> store.read(0, memory, 0, 2 * BLOCK)).isInstanceOf(IOException.class);
  }

  @Test
  void S4_onlyWholeBlocks() {
    assertThatThrownBy(() -> store.read(1, memory, 0, BLOCK))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store.write(0, memory, 0, BLOCK - 16))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store.write(0, memory, new long[1], 1, 2 * BLOCK))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new EncryptedStore(device, 8, 1, new HostBuffers(8)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void S4_theKeyGoesWhenTheStoreIsClosed() throws IOException {
    // A device that goes on after it was closed: then only the key can be missing.
    MemoryStore device = new MemoryStore();
    Store open =
        new Store() {
          @Override
          public long size() throws IOException {
            return device.size();
          }

          @Override
          public long read(long position, MemorySegment memory, long offset, long length)
              throws IOException {
            return device.read(position, memory, offset, length);
          }

          @Override
          public void write(long position, MemorySegment memory, long offset, long length)
              throws IOException {
            device.write(position, memory, offset, length);
          }

          @Override
          public void resize(long size) {
            throw new UnsupportedOperationException();
          }

          @Override
          public void sync() {
            throw new UnsupportedOperationException();
          }

          @Override
          public void close() {}
        };
    EncryptedStore closing = new EncryptedStore(open, BLOCK, BLOCKS, new HostBuffers(BLOCK));
    closing.write(0, memory, 0, BLOCK);
    byte[] before = device.contents();
    closing.close();
    assertThatThrownBy(() -> closing.read(0, memory, 0, BLOCK))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("key");
    assertThatThrownBy(() -> closing.write(0, memory, 0, BLOCK)).isInstanceOf(IOException.class);
    assertThat(device.contents()).isEqualTo(before);
  }

  /** Each thread has blocks of its own and writes them again and again. */
  @Test
  void S4_threads() throws Exception {
    List<Future<Boolean>> results = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (int i = 0; i < 4; i++) {
        int thread = i;
        results.add(threads.submit(() -> rewrites(thread)));
      }
    }
    for (Future<Boolean> result : results) {
      assertThat(result.get()).isTrue();
    }
  }

  private boolean rewrites(int thread) throws IOException {
    SplittableRandom random = new SplittableRandom(thread);
    MemorySegment own = Arena.ofAuto().allocate(BLOCK);
    long[] texts = new long[10];
    for (int i = 0; i < 2000; i++) {
      int mine = random.nextInt(texts.length);
      long position = (long) (mine * 4 + thread) * BLOCK;
      if (texts[mine] != 0) {
        if (store.read(position, own, 0, BLOCK) != BLOCK
            || own.get(ValueLayout.JAVA_LONG, BLOCK - 8) != texts[mine]) {
          return false;
        }
      }
      texts[mine] = random.nextLong();
      own.set(ValueLayout.JAVA_LONG, BLOCK - 8, texts[mine]);
      store.write(position, own, 0, BLOCK);
    }
    return true;
  }
}
