package org.juvm.store;

import java.io.IOException;
import java.io.Serial;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.ShortBufferException;
import javax.crypto.spec.IvParameterSpec;
import org.jspecify.annotations.Nullable;

/**
 * Puts blocks into another store, encrypted with a key that only this object has and forgets when
 * it is closed. So nothing that was written can be read after that, nor anything that was there
 * before. It hides what is in the blocks, not which are written; and it does not notice changes
 * that somebody else makes to the store.
 *
 * <p>The cipher is AES-256 in counter mode. Its counter must never be the same for two texts, or
 * their difference lies open, and a block is written again and again. So the counter is made of the
 * number of the block and of how often that has been written, which is kept in four bytes per block
 * that was ever written. CBC with an initial vector that follows from the block alone, as NetBSD
 * has it, needs no such table, but shows which blocks hold what they held before, up to where the
 * new text begins to differ; and it cannot be computed in parallel. XTS is not in the JDK.
 *
 * <p>Thread-safe; holds no lock. A transfer consists of whole blocks. Unlike other stores, nobody
 * may read a block while it is written. Encryption happens in buffers: memory that is written is
 * never changed.
 */
public final class EncryptedStore implements Store {
  private static final int KEY_BYTES = 32;
  private static final int VECTOR_BYTES = 16;

  /** Blocks whose counts come and go together. */
  private static final int CHUNK_BLOCKS = 1 << 14;

  private final Store store;
  private final int blockBytes;
  private final Key key = new Key();

  /**
   * For each block how often it was written, modulo 2^32; zero: never. The count of a block is
   * changed by the one thread that writes it; a chunk is null until a block of it is written.
   */
  private final AtomicReferenceArray<int @Nullable []> writes;

  /** For encrypted blocks on their way to the store. */
  private final TransferBuffers buffers;

  private final SparePool<Lane> lanes = new SparePool<>(Lane::new);

  /** A key that can be forgotten, unlike the JDK's. */
  private static final class Key implements SecretKey {
    @Serial private static final long serialVersionUID = 1L;

    private final byte[] bytes = new byte[KEY_BYTES];
    private volatile boolean destroyed;

    Key() {
      new SecureRandom().nextBytes(bytes);
    }

    @Override
    public String getAlgorithm() {
      return "AES";
    }

    @Override
    public String getFormat() {
      return "RAW";
    }

    @Override
    public byte[] getEncoded() {
      return bytes.clone();
    }

    @Override
    public void destroy() {
      destroyed = true;
      Arrays.fill(bytes, (byte) 0);
    }

    @Override
    public boolean isDestroyed() {
      return destroyed;
    }
  }

  /** What one thread needs to encrypt. */
  private final class Lane {
    final Cipher cipher;
    final byte[] block = new byte[blockBytes];
    final byte[] vector = new byte[VECTOR_BYTES];

    Lane() {
      try {
        cipher = Cipher.getInstance("AES/CTR/NoPadding");
      } catch (GeneralSecurityException e) {
        throw new AssertionError("every JDK has this cipher", e);
      }
    }

    /**
     * Encrypts or decrypts a block: in counter mode that is the same.
     *
     * @param number of the block
     * @param write the count of the write that put it there
     */
    void crypt(
        long number,
        int write,
        MemorySegment from,
        long fromOffset,
        MemorySegment to,
        long toOffset)
        throws IOException {
      MemorySegment.copy(from, ValueLayout.JAVA_BYTE, fromOffset, block, 0, blockBytes);
      ByteBuffer.wrap(vector).putLong(number).putInt(write).putInt(0);
      try {
        cipher.init(Cipher.ENCRYPT_MODE, key, new IvParameterSpec(vector));
        int length = cipher.doFinal(block, 0, blockBytes, block, 0);
        assert length == blockBytes;
      } catch (ShortBufferException e) {
        throw new AssertionError("a text is as long as its cipher in counter mode", e);
      } catch (GeneralSecurityException e) {
        throw new IOException("encryption failed: block=" + number, e);
      }
      // After the key is gone the cipher worked with zeros.
      if (key.isDestroyed()) {
        throw closed();
      }
      MemorySegment.copy(block, 0, to, ValueLayout.JAVA_BYTE, toOffset, blockBytes);
    }
  }

  /**
   * Encrypts what goes into another store, with a new random key.
   *
   * @param store holds the bytes; closed together with this one
   * @param blockBytes what is encrypted as one, 16 bytes or more
   * @param blocks how many there can be
   * @param buffers for blocks that are written; of pieces of that size
   */
  public EncryptedStore(Store store, int blockBytes, int blocks, TransferBuffers buffers) {
    if (buffers.pieceBytes() != blockBytes) {
      throw new IllegalArgumentException(
          "buffers of another size: blockBytes=%d, pieceBytes=%d"
              .formatted(blockBytes, buffers.pieceBytes()));
    }
    if (blockBytes < VECTOR_BYTES || blocks < 0) {
      throw new IllegalArgumentException(
          "blocks are too small, or negative: blockBytes=%d, blocks=%d"
              .formatted(blockBytes, blocks));
    }
    this.store = store;
    this.blockBytes = blockBytes;
    this.buffers = buffers;
    writes = new AtomicReferenceArray<>(blocks / CHUNK_BLOCKS + 1);
  }

  @Override
  public long size() throws IOException {
    return store.size();
  }

  /**
   * {@inheritDoc}
   *
   * @throws IOException also if one of the blocks was never written, or the store ends inside one
   * @throws IllegalArgumentException if these are no whole blocks
   */
  @Override
  public long read(long position, MemorySegment memory, long offset, long length)
      throws IOException {
    int block = block(position, length);
    long bytes = store.read(position, memory, offset, length);
    if (bytes % blockBytes != 0) {
      throw new IOException("the store ends inside a block: end=" + (position + bytes));
    }
    Lane lane = lanes.take();
    try {
      for (long done = 0; done < bytes; done += blockBytes) {
        lane.crypt(block, written(block), memory, offset + done, memory, offset + done);
        block++;
      }
    } finally {
      give(lane);
    }
    return bytes;
  }

  /**
   * {@inheritDoc}
   *
   * @throws IOException also if one of the blocks was never written, or the store ends inside one
   * @throws IllegalArgumentException if the pieces are no blocks
   */
  @Override
  public long read(long position, MemorySegment memory, long[] offsets, int count, int pieceBytes)
      throws IOException {
    int block = blocks(position, pieceBytes);
    long bytes = store.read(position, memory, offsets, count, pieceBytes);
    if (bytes % blockBytes != 0) {
      throw new IOException("the store ends inside a block: end=" + (position + bytes));
    }
    Lane lane = lanes.take();
    try {
      for (int i = 0; i < bytes / blockBytes; i++) {
        lane.crypt(block, written(block), memory, offsets[i], memory, offsets[i]);
        block++;
      }
    } finally {
      give(lane);
    }
    return bytes;
  }

  /**
   * {@inheritDoc}
   *
   * @throws IOException also if a block has been written 2^32 times
   * @throws IllegalArgumentException if these are no whole blocks
   */
  @Override
  public void write(long position, MemorySegment memory, long offset, long length)
      throws IOException {
    int first = block(position, length);
    write(first, (int) (length / blockBytes), memory, i -> offset + (long) i * blockBytes);
  }

  /**
   * {@inheritDoc}
   *
   * @throws IOException also if a block has been written 2^32 times
   * @throws IllegalArgumentException if the pieces are no blocks
   */
  @Override
  public void write(long position, MemorySegment memory, long[] offsets, int count, int pieceBytes)
      throws IOException {
    write(blocks(position, pieceBytes), count, memory, i -> offsets[i]);
  }

  /** Where a block that is to be written is. */
  private interface Source {
    long offset(int block);
  }

  private void write(int first, int count, MemorySegment memory, Source source) throws IOException {
    TransferBuffer buffer = buffers.take();
    try {
      write(first, count, memory, source, buffer);
    } finally {
      // Whatever happened: there may be no other.
      buffers.give(buffer);
    }
  }

  private void write(
      int first, int count, MemorySegment memory, Source source, TransferBuffer buffer)
      throws IOException {
    Lane lane = lanes.take();
    try {
      for (int done = 0; done < count; ) {
        int filled = 0;
        for (; done + filled < count && filled < buffer.pieces(); filled++) {
          int block = first + done + filled;
          long from = source.offset(done + filled);
          long to = buffer.offsets()[filled];
          lane.crypt(block, nextWrite(block), memory, from, buffer.memory(), to);
        }
        long position = (long) (first + done) * blockBytes;
        store.write(position, buffer.memory(), buffer.offsets(), filled, blockBytes);
        done += filled;
      }
    } finally {
      give(lane);
    }
  }

  @Override
  public void resize(long size) throws IOException {
    store.resize(size);
  }

  @Override
  public void sync() throws IOException {
    store.sync();
  }

  /** {@inheritDoc} What is in it cannot be read any more, by anybody. */
  @Override
  public void close() throws IOException {
    key.destroy();
    try {
      store.close();
    } finally {
      for (Lane lane = lanes.takeSpare(); lane != null; lane = lanes.takeSpare()) {
        forget(lane);
      }
    }
  }

  /** Keeps a lane for the next transfer, which may be one that comes too late. */
  private void give(Lane lane) {
    if (key.isDestroyed()) {
      forget(lane);
    } else {
      lanes.give(lane);
    }
  }

  /** Makes a lane forget the key and the last text, as far as the JDK lets us. */
  private void forget(Lane lane) {
    Arrays.fill(lane.block, (byte) 0);
    try {
      lane.cipher.init(Cipher.ENCRYPT_MODE, key, new IvParameterSpec(lane.vector));
    } catch (GeneralSecurityException e) {
      throw new AssertionError("zeros are a key", e);
    }
  }

  private static IOException closed() {
    return new IOException("the key is gone: the store is closed");
  }

  private int block(long position, long length) {
    if (position % blockBytes != 0 || length % blockBytes != 0) {
      throw new IllegalArgumentException(
          "not whole blocks: position=%d, length=%d, blockBytes=%d"
              .formatted(position, length, blockBytes));
    }
    return Math.toIntExact(position / blockBytes);
  }

  private int blocks(long position, int pieceBytes) {
    if (pieceBytes != blockBytes) {
      throw new IllegalArgumentException(
          "not a block: pieceBytes=%d, blockBytes=%d".formatted(pieceBytes, blockBytes));
    }
    return block(position, pieceBytes);
  }

  /** The count of the write that put a block where it is. */
  private int written(int block) throws IOException {
    int[] chunk = writes.get(block / CHUNK_BLOCKS);
    int count = chunk == null ? 0 : chunk[block % CHUNK_BLOCKS];
    if (count == 0) {
      throw new IOException("nothing was written there with this key: block=" + block);
    }
    return count;
  }

  /** Counts a write. */
  private int nextWrite(int block) throws IOException {
    int[] chunk = writes.get(block / CHUNK_BLOCKS);
    while (chunk == null) {
      boolean _ = writes.compareAndSet(block / CHUNK_BLOCKS, null, new int[CHUNK_BLOCKS]);
      chunk = writes.get(block / CHUNK_BLOCKS);
    }
    int count = chunk[block % CHUNK_BLOCKS] + 1;
    if (count == 0) {
      throw new IOException("written too often with one key: block=" + block);
    }
    chunk[block % CHUNK_BLOCKS] = count;
    return count;
  }
}
