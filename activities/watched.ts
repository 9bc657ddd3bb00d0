/** Watch processes of this node for as long as they live: what the keeper's watches have in common. */
import { Context, heartbeat } from '@temporalio/activity';
import { z } from 'zod';
import { ProcessIdentity, lives, bootIdOfMachine } from '../src/process/identity.ts';
import { waitForEnd } from '../src/process/wait-for-end.ts';
import { sleep } from './acts.ts';
import type { NodeContext } from './context.ts';

/** Where the kernel cannot tell of a death: it is noticed after half of this, on average. */
const lookEveryMs = 300;
/** A watch that is given up learns of it by a heartbeat; each is a call to the service. */
const beatEveryMs = 20_000;

const Remembered = z.object({ processes: z.array(ProcessIdentity) });

/** Return when one of the processes has ended; throw when `signal` comes. Each heartbeat tells who is watched. */
export async function untilOneEnds(
  context: NodeContext,
  processes: readonly ProcessIdentity[],
  signal: AbortSignal,
  more: () => Readonly<Record<string, unknown>> = () => ({}),
): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const told = new AbortController();
  // Whatever it says, also that it cannot be started, from then on looks decide: a death is seen by the first.
  const wait = async (): Promise<void> => {
    await waitForEnd(`${context.payload}/scripts/wait_for_end.py`, processes, either).catch(() => undefined);
    told.abort();
  };
  void wait();
  try {
    for (let beatAt = -Infinity; processes.every(lives);) {
      if (signal.aborted) throw signal.reason;
      if (performance.now() - beatAt >= beatEveryMs) {
        beatAt = performance.now();
        heartbeat({ v: 1, processes, ...more() });
      }
      // A timer may end a part of a millisecond early: no beat is left out for that.
      const untilBeat = Math.max(1, beatAt + beatEveryMs - performance.now());
      if (told.signal.aborted) await sleep(lookEveryMs, signal);
      else await sleep(untilBeat, AbortSignal.any([signal, told.signal]));
    }
  } finally {
    over.abort();
  }
}

/**
 * Whom an earlier attempt watched, before its node worker ended: a process that took a dead one's place meanwhile is
 * another one. Null for the first attempt, and after a boot, which has ended all of them.
 */
export function watchedBefore(): readonly ProcessIdentity[] | null {
  const parsed = Remembered.safeParse(Context.current().info.heartbeatDetails);
  const processes = parsed.data?.processes ?? [];
  const bootId = bootIdOfMachine();
  return processes.length > 0 && processes.every((each) => each.bootId === bootId) ? processes : null;
}
