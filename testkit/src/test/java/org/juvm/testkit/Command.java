package org.juvm.testkit;

import java.util.ArrayList;
import java.util.List;

/**
 * One step of a random history. Numbers are taken modulo what is there when the step is done, so
 * that a step still means something when others before it have been left out.
 *
 * @param kind what to do
 * @param space which of the living spaces
 * @param cpu which of the processors
 * @param page where
 * @param target where else, or how many pages
 * @param offset bytes from the start of the page
 * @param value operand, or length
 * @param option rights, inheritance, layout or kind of operation
 */
record Command(
    Kind kind, int space, int cpu, int page, int target, int offset, long value, int option) {

  /** What commands are about. */
  enum Subject {
    MAPS,
    PAGING,
    OBJECTS,
    SPACES,
    ACCESSES,
    WINDOWS
  }

  /** What can be done, and how often it is. */
  enum Kind {
    MAP_AT(Subject.MAPS, 5),
    MAP_ANYWHERE(Subject.MAPS, 2),
    MAP(Subject.MAPS, 5),
    MAP_OBJECT(Subject.MAPS, 6),
    MAP_STACK(Subject.MAPS, 1),
    UNMAP(Subject.MAPS, 6),
    PROTECT(Subject.MAPS, 5),
    PROTECT_MAXIMUM(Subject.MAPS, 1),
    IMMUTABLE(Subject.MAPS, 1),
    PERMITS(Subject.MAPS, 1),
    INHERIT(Subject.MAPS, 4),
    REMAP(Subject.MAPS, 3),
    REMAP_TO(Subject.MAPS, 2),
    DUPLICATE(Subject.MAPS, 2),
    WIRE(Subject.PAGING, 5),
    UNWIRE(Subject.PAGING, 4),
    WIRE_ALL(Subject.PAGING, 1),
    UNWIRE_ALL(Subject.PAGING, 2),
    DISCARD(Subject.PAGING, 5),
    ADVISE(Subject.PAGING, 3),
    CLEAN(Subject.PAGING, 1),
    RESIDENT(Subject.PAGING, 3),
    OBJECT_CREATE(Subject.OBJECTS, 3),
    OBJECT_RESIZE(Subject.OBJECTS, 3),
    OBJECT_CLOSE(Subject.OBJECTS, 1),
    FORK(Subject.SPACES, 5),
    EXIT(Subject.SPACES, 2),
    EXEC(Subject.SPACES, 1),
    UNSHARE(Subject.SPACES, 1),
    LIMIT(Subject.SPACES, 2),
    GET(Subject.ACCESSES, 20),
    SET(Subject.ACCESSES, 30),
    ATOMIC(Subject.ACCESSES, 8),
    READ(Subject.ACCESSES, 5),
    WRITE(Subject.ACCESSES, 5),
    FILL(Subject.ACCESSES, 3),
    COPY(Subject.ACCESSES, 5),
    MISMATCH(Subject.ACCESSES, 2),
    DEBUG_READ(Subject.ACCESSES, 3),
    DEBUG_WRITE(Subject.ACCESSES, 4),
    WINDOW_READ(Subject.WINDOWS, 2),
    WINDOW_WRITE(Subject.WINDOWS, 3),
    WINDOW_FORK(Subject.WINDOWS, 3),
    WINDOW_UNMAP(Subject.WINDOWS, 1);

    private static final List<Kind> DECK = new ArrayList<>();

    static {
      for (Kind kind : values()) {
        for (int i = 0; i < kind.weight; i++) {
          DECK.add(kind);
        }
      }
    }

    private final Subject subject;
    private final int weight;

    Kind(Subject subject, int weight) {
      this.subject = subject;
      this.weight = weight;
    }

    Subject subject() {
      return subject;
    }
  }

  static Command random(Choices choices) {
    return new Command(
        choices.pick(Kind.DECK),
        choices.below(60),
        choices.below(60),
        choices.below(1 << 20),
        choices.below(1 << 20),
        choices.below(1 << 20),
        choices.any(),
        choices.below(60));
  }

  static List<Command> history(Choices choices, int length) {
    List<Command> commands = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      commands.add(random(choices));
    }
    return commands;
  }
}
