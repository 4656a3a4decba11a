package org.juvm.sim;

import java.util.Arrays;
import java.util.Comparator;
import java.util.PriorityQueue;
import org.juvm.base.Replacement;
import org.juvm.page.References;
import org.juvm.page.ReplacementPolicy;
import org.juvm.pageout.ClockSettings;
import org.juvm.pageout.ReplacementPolicies;

/**
 * How often the page that a trace refers to is in memory. For any number of threads: a replay has
 * no state.
 */
public final class Replay {
  private static final int NOWHERE = -1;

  private Replay() {}

  /**
   * Replays a trace under a policy of the live system. A reference to a page in memory sets its
   * bit; one to another page takes a victim if no frame is free.
   *
   * <p>For CLOCK-Pro, references to one page that follow one another are a single one, since they
   * say nothing of when the page will be used again; the simulator of its author sees it so, too.
   *
   * @param trace the trace
   * @param replacement the policy
   * @param frames number of frames, greater than 0
   * @return the number of references to pages in memory
   */
  public static int hits(Trace trace, Replacement replacement, int frames) {
    return new Memory(trace.distinct(), replacement, frames).replay(trace);
  }

  /** Frames, the pages in them and their bits, and a policy that decides which goes. */
  private static final class Memory implements References {
    private final int[] frameOf;
    private final int[] pageIn;
    private final boolean[] referenced;
    private final ReplacementPolicy policy;

    /** Whether references to one page that follow one another are a single one. */
    private final boolean runsAreOne;

    private int used;

    Memory(int pages, Replacement replacement, int frames) {
      frameOf = new int[pages];
      Arrays.fill(frameOf, NOWHERE);
      pageIn = new int[frames];
      referenced = new boolean[frames];
      policy = ReplacementPolicies.create(replacement, frames, this, ClockSettings.DEFAULT);
      runsAreOne =
          replacement == Replacement.CLOCK_PRO || replacement == Replacement.ADAPTIVE_CLOCK_PRO;
    }

    @Override
    public boolean testAndClear(int frame) {
      boolean was = referenced[frame];
      referenced[frame] = false;
      return was;
    }

    @Override
    public boolean isReferenced(int frame) {
      return referenced[frame];
    }

    int replay(Trace trace) {
      int hits = 0;
      int last = NOWHERE;
      for (int i = 0; i < trace.references(); i++) {
        int page = trace.page(i);
        int frame = frameOf[page];
        if (frame == NOWHERE) {
          bringIn(page);
        } else {
          hits++;
          referenced[frame] |= !runsAreOne || page != last;
        }
        last = page;
      }
      return hits;
    }

    private void bringIn(int page) {
      int frame = used < pageIn.length ? used++ : free();
      frameOf[page] = frame;
      pageIn[frame] = page;
      referenced[frame] = false;
      policy.enqueue(frame, page, false);
    }

    private int free() {
      policy.beginScan(0, 0, false);
      int victim = policy.selectVictim();
      policy.evicted(victim);
      frameOf[pageIn[victim]] = NOWHERE;
      return victim;
    }
  }

  /**
   * Replays a trace, evicting always the page that was used least recently.
   *
   * @param trace the trace
   * @param frames number of frames, greater than 0
   * @return the number of references to pages in memory
   */
  public static int lruHits(Trace trace, int frames) {
    // A ring of pages by age; the node behind the last page stands between newest and oldest.
    int end = trace.distinct();
    int[] newer = new int[end + 1];
    int[] older = new int[end + 1];
    Arrays.fill(newer, NOWHERE);
    newer[end] = end;
    older[end] = end;
    int hits = 0;
    int resident = 0;
    for (int i = 0; i < trace.references(); i++) {
      int page = trace.page(i);
      if (newer[page] != NOWHERE) {
        hits++;
        unlink(newer, older, page);
      } else if (resident == frames) {
        int victim = newer[end];
        unlink(newer, older, victim);
        newer[victim] = NOWHERE;
      } else {
        resident++;
      }
      older[page] = older[end];
      newer[page] = end;
      newer[older[end]] = page;
      older[end] = page;
    }
    return hits;
  }

  private static void unlink(int[] newer, int[] older, int page) {
    newer[older[page]] = newer[page];
    older[newer[page]] = older[page];
  }

  /**
   * Replays a trace, evicting always the page that will not be used for longest: no policy does
   * better.
   *
   * <p>Source: L. Belady, "A Study of Replacement Algorithms for a Virtual-Storage Computer", 1966.
   *
   * @param trace the trace
   * @param frames number of frames, greater than 0
   * @return the number of references to pages in memory
   */
  public static int optimalHits(Trace trace, int frames) {
    int end = trace.references();
    int[] nextUse = new int[end];
    int[] next = new int[trace.distinct()];
    Arrays.fill(next, end);
    for (int i = end - 1; i >= 0; i--) {
      nextUse[i] = next[trace.page(i)];
      next[trace.page(i)] = i;
    }
    // Per page its next use if it is in memory, else NOWHERE. What is in the queue and not the next
    // use of its page any more is out of date.
    int[] inMemory = new int[trace.distinct()];
    Arrays.fill(inMemory, NOWHERE);
    record Use(int at, int page) {}
    PriorityQueue<Use> latest = new PriorityQueue<>(Comparator.comparingInt(Use::at).reversed());
    int hits = 0;
    int resident = 0;
    for (int i = 0; i < end; i++) {
      int page = trace.page(i);
      if (inMemory[page] != NOWHERE) {
        hits++;
      } else if (resident == frames) {
        Use victim = latest.remove();
        while (inMemory[victim.page] != victim.at) {
          victim = latest.remove();
        }
        inMemory[victim.page] = NOWHERE;
      } else {
        resident++;
      }
      inMemory[page] = nextUse[i];
      latest.add(new Use(nextUse[i], page));
    }
    return hits;
  }
}
