package org.juvm.bench;

import java.util.List;

/** A thing that is measured. */
interface Row {
  /** Short, as on the command line. */
  String name();

  /** What it is about. */
  String title();

  /** Measures. */
  List<Figure> measure(Lab lab);

  /** Makes one from its parts. */
  static Row of(String name, String title, Measurement measurement) {
    return new Row() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public String title() {
        return title;
      }

      @Override
      public List<Figure> measure(Lab lab) {
        return measurement.measure(this, lab);
      }
    };
  }

  /** How the figures of a row come about. */
  interface Measurement {
    /** Measures. */
    List<Figure> measure(Row row, Lab lab);
  }
}
