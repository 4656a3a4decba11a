package org.juvm.bench.allocator;

import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;

/** Netty's direct buffers. */
public final class NettyAllocator implements Allocator {
  private final ByteBufAllocator buffers;

  private NettyAllocator(ByteBufAllocator buffers) {
    this.buffers = buffers;
  }

  /** The pooled allocator, which was the usual one before 4.2. */
  public static NettyAllocator pooled() {
    return new NettyAllocator(PooledByteBufAllocator.DEFAULT);
  }

  /** The adaptive allocator, which is the usual one from 4.2 on. */
  public static NettyAllocator adaptive() {
    return new NettyAllocator(new AdaptiveByteBufAllocator());
  }

  @Override
  public Object allocate(long bytes) {
    int size = Math.toIntExact(bytes);
    ByteBuf buffer = buffers.directBuffer(size, size);
    buffer.setLong(0, bytes);
    return buffer;
  }

  @Override
  public void free(Object memory) {
    boolean _ = ((ByteBuf) memory).release();
  }
}
