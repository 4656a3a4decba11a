package org.juvm.testkit;

import static org.juvm.testkit.Ground.same;

import java.util.Arrays;
import java.util.Map;
import java.util.function.LongPredicate;
import org.juvm.Paging;
import org.juvm.base.Advice;
import org.juvm.base.MapFlag;

/** Wiring, discarding, advice, and what is resident. */
final class PagingCommands {
  private final Ground ground;

  PagingCommands(Ground ground) {
    this.ground = ground;
  }

  void run(Pair pair, Command command) {
    Paging real = pair.real().paging();
    ModelPaging model = new ModelPaging(pair.model());
    long at = ground.address(pair, command.page());
    long length = ground.length(command);
    boolean odd = command.option() % 2 == 1;
    switch (command.kind()) {
      case WIRE -> {
        LongPredicate shared = new Entries(pair.real()).shared();
        String found = ground.outcome(() -> real.wire(at, length));
        same(model.wire(at, length, shared), found);
      }
      case UNWIRE -> same(model.unwire(at, length), ground.outcome(() -> real.unwire(at, length)));
      case WIRE_ALL -> {
        boolean future = command.option() % 4 == 3;
        LongPredicate shared = new Entries(pair.real()).shared();
        String found = ground.outcome(() -> real.wireAll(odd, future));
        same(model.wireAll(odd, future, shared), found);
      }
      case UNWIRE_ALL -> {
        real.unwireAll();
        model.unwireAll();
      }
      case DISCARD -> {
        LongPredicate kept = new Entries(pair.real()).kept();
        String found = ground.outcome(() -> real.discard(at, length));
        same(model.discard(at, length, kept), found);
      }
      case CLEAN ->
          same(model.clean(at, length, odd), ground.outcome(() -> real.clean(at, length, odd)));
      case RESIDENT -> resident(pair, at, length);
      default -> advise(pair, at, length, command);
    }
    same(pair.model().locked(), real.wiredBytes());
  }

  private void resident(Pair pair, long at, long length) {
    ModelSpace model = pair.model();
    String expected = "NOT_MAPPED";
    if (model.isAllMapped(at, length)) {
      boolean[] resident = new boolean[model.range(at, length).size()];
      for (Map.Entry<Long, ModelSlot> each : model.range(at, length).entrySet()) {
        resident[(int) (each.getKey() - model.page(at))] = each.getValue().resident() != null;
      }
      expected = Arrays.toString(resident);
    }
    String found = ground.outcome(() -> Arrays.toString(pair.real().paging().resident(at, length)));
    if (ground.isPaging() && !expected.equals("NOT_MAPPED")) {
      residentNow(model, at, length, pair.real().paging().resident(at, length));
    } else {
      same(expected, found);
    }
  }

  /** What is resident was made, and what is wired is resident. */
  private static void residentNow(ModelSpace model, long at, long length, boolean[] found) {
    for (Map.Entry<Long, ModelSlot> each : model.range(at, length).entrySet()) {
      boolean resident = found[(int) (each.getKey() - model.page(at))];
      boolean made = each.getValue().resident() != null;
      boolean must = each.getValue().isWired();
      if (resident ? !made : must && made) {
        throw new AssertionError(
            "page %x: resident=%s, made=%s, wired=%s"
                .formatted(each.getKey(), resident, made, must));
      }
    }
  }

  private void advise(Pair pair, long at, long length, Command command) {
    Paging real = pair.real().paging();
    boolean set = command.option() % 2 == 1;
    switch (command.option() % 4) {
      case 0 -> real.invalidate(at, length);
      case 1 -> {
        real.conceal(at, length, set);
        pair.model().range(at, length).values().forEach(slot -> slot.flags.add(MapFlag.NO_CORE));
      }
      case 2 -> {
        real.writeLazily(at, length, set);
        pair.model().range(at, length).values().forEach(slot -> slot.flags.remove(MapFlag.NO_SYNC));
      }
      default -> {
        Advice advice = Advice.values()[command.option() / 4 % Advice.values().length];
        real.advise(at, length, advice);
        pair.model().range(at, length).values().forEach(slot -> slot.advice = advice);
      }
    }
  }
}
