package org.juvm.testkit;

import static org.juvm.testkit.Ground.same;

import java.util.List;
import java.util.function.LongPredicate;
import org.juvm.MapRequest;
import org.juvm.Vmspace;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/** Mappings: made, replaced, changed, moved, doubled and removed. */
final class MapCommands {
  private final Ground ground;

  MapCommands(Ground ground) {
    this.ground = ground;
  }

  void run(Pair pair, Command command) {
    Vmspace real = pair.real();
    ModelMapper model = new ModelMapper(pair.model());
    long at = ground.address(pair, command.page());
    long length = ground.length(command);
    Protection protection = protection(command.option());
    switch (command.kind()) {
      case MAP_AT, MAP_ANYWHERE, MAP, MAP_OBJECT, MAP_STACK -> map(pair, command);
      case UNMAP -> same(model.unmap(at, length), ground.outcome(() -> real.unmap(at, length)));
      case PROTECT -> {
        LongPredicate shared = new Entries(real).shared();
        String found = ground.outcome(() -> real.protect(at, length, protection));
        same(model.protect(at, length, protection, shared), found);
      }
      case PROTECT_MAXIMUM -> {
        // Memory that can never be written again is of little use to the commands that follow.
        long few = Math.min(length, 3L * ground.pageSize());
        same(
            model.protectMaximum(at, few, protection),
            ground.outcome(() -> real.protectMaximum(at, few, protection)));
      }
      case IMMUTABLE -> {
        long few = Math.min(length, 2L * ground.pageSize());
        same(model.makeImmutable(at, few), ground.outcome(() -> real.makeImmutable(at, few)));
      }
      case PERMITS ->
          same(model.permits(at, length, protection), real.permits(at, length, protection));
      case REMAP, REMAP_TO -> remap(pair, at, length, command);
      case DUPLICATE -> duplicate(pair, at, length);
      default -> {
        Inheritance inheritance =
            Inheritance.values()[command.option() % Inheritance.values().length];
        same(
            model.inherit(at, length, inheritance),
            ground.outcome(() -> real.inherit(at, length, inheritance)));
      }
    }
  }

  /** Writable memory is what most operations are about. */
  private static Protection protection(int option) {
    return option % 2 == 0
        ? Protection.READ_WRITE
        : Protection.values()[option / 2 % Protection.values().length];
  }

  // ---- map ----

  private void map(Pair pair, Command command) {
    ModelMapper.Request model = new ModelMapper.Request();
    model.length = ground.length(command);
    MapRequest real = MapRequest.anonymous(model.length);
    int bits = (int) command.value() & Integer.MAX_VALUE;
    if (command.kind() == Command.Kind.MAP_OBJECT && !ground.open().isEmpty()) {
      List<Ground.Shared> open = ground.open();
      Ground.Shared shared = open.get(command.offset() % open.size());
      model.object = shared.model();
      model.index = command.offset() / 8 % 20;
      real = MapRequest.of(shared.real(), model.index * ground.pageSize(), model.length);
      model.copyOnWrite = true;
    } else if (command.kind() == Command.Kind.MAP_STACK) {
      model.length = (2L + command.target() % 400) * ground.pageSize();
      model.guard = command.offset() % Math.min(40, model.length / ground.pageSize());
      real = MapRequest.stack(model.length).guard(model.guard * ground.pageSize());
    }
    model.protection = protection(command.option());
    real.protection(model.protection);
    if (command.kind() != Command.Kind.MAP_AT && command.kind() != Command.Kind.MAP_ANYWHERE) {
      decorate(real, model, bits);
    }
    place(real, model, pair, command);
    MapRequest request = real;
    ModelMapper mapper = new ModelMapper(pair.model());
    String expected = mapper.map(model);
    same(
        expected.isEmpty() ? String.valueOf(mapper.address) : expected,
        ground.outcome(() -> pair.real().map(request)));
  }

  private void decorate(MapRequest real, ModelMapper.Request model, int bits) {
    if (bits % 3 == 0 && model.guard < 0) {
      real.shared();
      model.inheritance = Inheritance.SHARE;
      model.copyOnWrite = false;
    }
    if (bits / 3 % 5 == 0) {
      model.inheritance = Inheritance.values()[bits / 15 % 4];
      real.inheritance(model.inheritance);
    }
    if (bits / 64 % 5 == 0) {
      model.maximum = Protection.values()[bits / 320 % 5];
      real.maximum(model.maximum);
    }
    if (bits / 2048 % 6 == 0) {
      model.advice = Advice.RANDOM;
      real.advice(model.advice);
    }
    if (bits / 16384 % 7 == 0) {
      MapFlag flag = bits / (1 << 18) % 8 == 0 ? MapFlag.IMMUTABLE : MapFlag.NO_CORE;
      model.flags.add(flag);
      real.flag(flag);
    }
    if (bits / (1 << 22) % 7 == 0) {
      model.wired = true;
      real.wired();
    }
    if (bits / (1 << 25) % 7 == 0) {
      model.alignment = 3L * ground.pageSize();
      real.alignment(model.alignment);
    }
  }

  private void place(MapRequest real, ModelMapper.Request model, Pair pair, Command command) {
    int rule = command.kind() == Command.Kind.MAP_AT ? 0 : command.page() / 16 % 5;
    if (command.kind() == Command.Kind.MAP_ANYWHERE) {
      rule = 4;
    }
    long at = ground.address(pair, command.page());
    switch (rule) {
      case 0, 1 -> {
        real.at(at);
        model.rule = ModelMapper.Rule.EXCLUSIVE;
        model.address = at;
      }
      case 2 -> {
        real.replacing(at);
        model.rule = ModelMapper.Rule.FIXED;
        model.address = at;
      }
      case 3 -> {
        long hint = at + command.offset() % ground.pageSize();
        real.near(hint);
        model.address = hint;
      }
      default -> {}
    }
  }

  // ---- remap ----

  private void remap(Pair pair, long at, long length, Command command) {
    ModelRemapper model = new ModelRemapper(pair.model());
    long newLength = (1L + command.offset() % 24) * ground.pageSize();
    if (command.kind() == Command.Kind.REMAP) {
      String expected = model.remap(at, length, newLength, -1);
      same(
          expected.isEmpty() ? String.valueOf(model.address) : expected,
          ground.outcome(() -> pair.real().remap(at, length, newLength)));
      return;
    }
    long to = ground.address(pair, command.option() * 31 + (int) (command.value() & 0xffff));
    same(
        model.remap(at, length, newLength, to),
        ground.outcome(() -> pair.real().remapTo(at, length, newLength, to)));
  }

  private void duplicate(Pair pair, long at, long length) {
    ModelRemapper model = new ModelRemapper(pair.model());
    // Both parts are shared by the time that one is wired.
    String expected = model.duplicate(at, length, _ -> true);
    same(
        expected.isEmpty() ? String.valueOf(model.address) : expected,
        ground.outcome(() -> pair.real().duplicate(at, length)));
  }
}
