/** What a test does to the activities of scripted nodes: let one fail some times, or hold one until it is let go. */
import { Context } from '@temporalio/activity';
import type { ErrorCode } from '../../src/errors.ts';
import { fail } from '../../src/errors.ts';
import type { ActivityName } from './nodes.ts';

/** Where it happens: an activity, and one node unless it is every node. */
export interface Place {
  readonly activity: ActivityName;
  readonly node?: string;
}

/**
 * How a held activity takes a cancel: it ends `at once`, or `slowly`, when it is released; one that is `deaf` gives no
 * sign of life, as on a machine without power, so that no cancel reaches it.
 */
type Manner = 'at once' | 'slowly' | 'deaf';

/** An activity that hangs. */
export interface Hold {
  /** Resolves when the activity has begun to hang. */
  readonly reached: Promise<void>;
  /** Resolves when the activity was told that it is cancelled. */
  readonly cancelled: Promise<void>;
  readonly release: () => void;
}

interface Failure extends Place {
  readonly code: ErrorCode;
  readonly data: Readonly<Record<string, unknown>>;
  left: number;
}

interface HeldPlace extends Place {
  readonly manner: Manner;
  readonly reach: () => void;
  readonly cancel: () => void;
  readonly released: Promise<void>;
}

/** A cancel comes with the answer to a heartbeat. */
const beatEveryMs = 50;

export class Faults {
  private readonly failures: Failure[] = [];
  private readonly holds: HeldPlace[] = [];
  private readonly releases: (() => void)[] = [];

  /** Let an activity fail with a code, as often as said; afterwards it works again. */
  fail(place: Place, code: ErrorCode, times = 1, data: Readonly<Record<string, unknown>> = {}): void {
    this.failures.push({ ...place, code, data, left: times });
  }

  /** Let the next call of an activity hang until it is released or cancelled. */
  hold(place: Place, manner: Manner = 'at once'): Hold {
    const reached = signal();
    const cancelled = signal();
    const released = signal();
    this.releases.push(released.give);
    this.holds.push({
      ...place,
      manner,
      reach: reached.give,
      cancel: cancelled.give,
      released: released.given,
    });
    return { reached: reached.given, cancelled: cancelled.given, release: released.give };
  }

  /** Let everything go on, so that a worker can stop also when a test failed before it did that itself. */
  releaseAll(): void {
    for (const release of this.releases) release();
  }

  /** What happens at this place now; called by the activity itself. */
  async meet(activity: ActivityName, node: string): Promise<void> {
    const here = (place: Place) =>
      place.activity === activity && (place.node === undefined || place.node === node);
    const at = this.holds.findIndex(here);
    const hold = this.holds[at];
    // A machine without power does not take the next attempt either.
    if (hold?.manner !== 'deaf') this.holds.splice(at, at === -1 ? 0 : 1);
    if (hold) await hang(hold);
    const failure = this.failures.find((each) => here(each) && each.left > 0);
    if (!failure) return;
    failure.left -= 1;
    throw fail(failure.code, failure.data);
  }
}

async function hang(hold: HeldPlace): Promise<void> {
  const context = Context.current();
  const beat = setInterval(() => {
    if (hold.manner !== 'deaf') context.heartbeat();
  }, beatEveryMs);
  hold.reach();
  try {
    await Promise.race([hold.released, context.cancelled]);
  } catch (error) {
    hold.cancel();
    if (hold.manner !== 'at once') await hold.released;
    throw error;
  } finally {
    clearInterval(beat);
  }
}

function signal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return {
    given,
    give: () => {
      give();
    },
  };
}
