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

  /** What can be done, and how often it is. */
  enum Kind {
    MAP_AT(8),
    MAP_ANYWHERE(2),
    UNMAP(5),
    PROTECT(5),
    INHERIT(4),
    FORK(4),
    EXIT(2),
    GET(20),
    SET(30),
    ATOMIC(8),
    READ(5),
    WRITE(5),
    FILL(3),
    COPY(5),
    MISMATCH(2),
    WINDOW_READ(2),
    WINDOW_WRITE(3),
    WINDOW_FORK(2),
    WINDOW_UNMAP(1);

    private static final List<Kind> DECK = new ArrayList<>();

    static {
      for (Kind kind : values()) {
        for (int i = 0; i < kind.weight; i++) {
          DECK.add(kind);
        }
      }
    }

    private final int weight;

    Kind(int weight) {
      this.weight = weight;
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
