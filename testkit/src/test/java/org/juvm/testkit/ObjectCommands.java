package org.juvm.testkit;

import static org.juvm.testkit.Ground.same;

/** Shared memory: made, resized and closed. */
final class ObjectCommands {
  private static final int MAXIMUM_OPEN = 4;

  private final Ground ground;

  ObjectCommands(Ground ground) {
    this.ground = ground;
  }

  void run(Command command) {
    if (command.kind() == Command.Kind.OBJECT_CREATE && ground.open().size() < MAXIMUM_OPEN) {
      long size = size(command);
      ground
          .open()
          .add(
              new Ground.Shared(
                  ground.vm().sharedMemory().create(size),
                  new ModelObject(ground.pageSize(), size)));
      return;
    }
    if (ground.open().isEmpty()) {
      return;
    }
    Ground.Shared shared = ground.open().get(command.target() % ground.open().size());
    if (command.kind() == Command.Kind.OBJECT_RESIZE) {
      long size = size(command);
      shared.real().resize(size);
      shared.model().resize(size);
      same(size, shared.real().size());
      long resident = shared.real().residentPages();
      long made = shared.model().frames().size();
      if (ground.isPaging() ? resident > made : resident != made) {
        throw new AssertionError("%d of %d pages are resident".formatted(resident, made));
      }
    } else {
      shared.real().close();
      ground.open().remove(shared);
    }
  }

  /** Half of the sizes are no whole number of pages. */
  private long size(Command command) {
    long size = Long.remainderUnsigned(command.value(), 30L * ground.pageSize());
    return command.option() % 2 == 0 ? size : size - size % ground.pageSize();
  }
}
