package org.juvm;

import org.juvm.object.MemoryObject;

/** What a client has of an object that it made: a reference, until it is closed. */
abstract class Handle extends Mappable implements AutoCloseable {
  private final Handles handles;
  private final MemoryObject object;

  /** Takes over a reference to the object. */
  Handle(Handles handles, MemoryObject object) {
    this.handles = handles;
    this.object = object;
  }

  MemoryObject object() {
    return object;
  }

  @Override
  final Vm vm() {
    return handles.vm();
  }

  @Override
  final MemoryObject reference() {
    return handles.reference(this);
  }

  final boolean isOpen() {
    return handles.isOpen(this);
  }

  /** The system ends. */
  void end() {
    close();
  }

  /** Lets go of it. Mappings stay. Closing twice does nothing. */
  @Override
  public void close() {
    boolean _ = handles.close(this);
  }
}
