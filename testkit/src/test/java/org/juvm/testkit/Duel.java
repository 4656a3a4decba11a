package org.juvm.testkit;

import static org.juvm.testkit.Ground.same;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.juvm.PagingProbe;
import org.juvm.base.Access;
import org.juvm.trace.Counter;

/**
 * Does the same to a system and to the model, and throws as soon as they differ: in the value or
 * the exception of an operation, in the layout of an address space, in a byte of memory, or in the
 * number of pages that there are.
 */
final class Duel implements AutoCloseable {
  private static final int COMPARE_BYTES_EVERY = 128;

  private final Ground ground;
  private final MapCommands maps;
  private final PagingCommands paging;
  private final ObjectCommands objects;
  private final SpaceCommands spaces;
  private final AccessCommands accesses;
  private final WindowCommands windows;
  private final int auditEvery;
  private int done;

  /** Lets pages leave memory or not, and audits after every so many commands. */
  Duel(int pageSize, boolean littleMemory, int auditEvery) {
    this.auditEvery = auditEvery;
    ground = new Ground(pageSize, littleMemory);
    maps = new MapCommands(ground);
    paging = new PagingCommands(ground);
    objects = new ObjectCommands(ground);
    spaces = new SpaceCommands(ground);
    accesses = new AccessCommands(ground);
    windows = new WindowCommands(ground);
  }

  @Override
  public void close() {
    ground.close();
  }

  /** How many pages have left memory. */
  long evictions() {
    return PagingProbe.count(ground.vm(), Counter.EVICTIONS);
  }

  /** How many commands came to their end. */
  int done() {
    return done;
  }

  /** Does all of it and compares everything at the end. */
  void run(List<Command> commands) {
    for (Command command : commands) {
      try {
        step(command);
      } catch (Throwable e) {
        throw new AssertionError("step " + done + ": " + command, e);
      }
      done++;
    }
    compareBytes();
    audit();
  }

  private void step(Command command) {
    Pair pair = ground.pairs().get(command.space() % ground.pairs().size());
    switch (command.kind().subject()) {
      case MAPS -> maps.run(pair, command);
      case PAGING -> paging.run(pair, command);
      case OBJECTS -> objects.run(command);
      case SPACES -> spaces.run(pair, command);
      case ACCESSES -> accesses.run(pair, ground.attached(pair, command), command);
      case WINDOWS -> windows.run(pair, ground.attached(pair, command), command);
    }
    compareLayout();
    compareFrames();
    if (done % auditEvery == 0) {
      audit();
    }
    if (done % COMPARE_BYTES_EVERY == COMPARE_BYTES_EVERY - 1) {
      compareBytes();
    }
  }

  private void compareLayout() {
    for (Pair pair : ground.pairs()) {
      same(pair.model().layout(), Entries.layout(pair.real()));
    }
  }

  private void compareFrames() {
    List<ModelSpace> models = ground.pairs().stream().map(Pair::model).toList();
    List<ModelObject> open = ground.open().stream().map(Ground.Shared::model).toList();
    same((long) ModelSpace.countFrames(models, open), ground.pages());
  }

  /** Pages that were never made stay so. */
  private void compareBytes() {
    byte[] found = new byte[ground.pageSize()];
    for (Pair pair : ground.pairs()) {
      for (Map.Entry<Long, ModelSlot> each : pair.model().slots().entrySet()) {
        ModelFrame frame = each.getValue().resident();
        if (frame != null && each.getValue().maximum.permits(Access.READ)) {
          long at = each.getKey() * ground.pageSize();
          pair.real().debug().read(at, MemorySegment.ofArray(found), 0, found.length);
          if (!Arrays.equals(frame.bytes, found)) {
            throw new AssertionError("page " + Long.toHexString(at) + " of " + pair.real());
          }
        }
      }
    }
    compareFrames();
  }

  private void audit() {
    same(List.of(), ground.vm().audit());
    ground.pairs().forEach(pair -> new Entries(pair.real()).checkMinimal());
  }
}
