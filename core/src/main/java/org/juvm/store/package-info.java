/**
 * Places for bytes outside memory. {@link org.juvm.store.Store} is the interface between the system
 * and whatever holds what does not fit in memory: a file, a device of a client's, or a test's store
 * that fails when it is told to.
 *
 * <p>{@link org.juvm.store.FileStore} is a file. It calls the host's positional reads and writes
 * directly, in the thread of whoever asks, and not through a {@code FileChannel}: the JDK closes a
 * channel under all its users when one of them is interrupted. A virtual thread would keep its
 * carrier for as long as the disk takes, so its transfers are done by a few threads of our own
 * while it parks. Where the host's functions cannot be linked, or the system property {@code
 * juvm.io} is {@code channel}, a file channel is used that only those threads touch.
 *
 * <p>{@link org.juvm.store.EncryptedStore} puts what it is given into another store, encrypted.
 *
 * <p>{@link org.juvm.store.PageIo} knows where the frames of a system are, and moves whole pages
 * between them and a store, so that the floors above speak of frames only.
 *
 * <p>Nothing here holds a lock during a transfer, and transfers through a file allocate nothing on
 * the heap: what they need beside their arguments is in {@code SparePool}.
 */
package org.juvm.store;
