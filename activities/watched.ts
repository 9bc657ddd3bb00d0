/** Watch processes of this node for as long as they live: what the keeper's watches have in common. */
import { Context, heartbeat } from '@temporalio/activity';
import { z } from 'zod';
import { ProcessIdentity, lives, bootIdOfMachine } from '../src/process/identity.ts';
import { sleep } from './acts.ts';

/** A death is noticed after half of this, on average; to wake more often would cost a node half a percent of a core. */
const lookEveryMs = 300;
/** A watch that is given up learns of it by a heartbeat; each is a call to the service. */
const beatEveryMs = 20_000;

const Remembered = z.object({ processes: z.array(ProcessIdentity) });

/** Return when one of the processes has ended; throw when `signal` comes. Each heartbeat tells who is watched. */
export async function untilOneEnds(
  processes: readonly ProcessIdentity[],
  signal: AbortSignal,
  more: () => Readonly<Record<string, unknown>> = () => ({}),
): Promise<void> {
  let beatAt = -Infinity;
  while (processes.every(lives)) {
    if (signal.aborted) throw signal.reason;
    const now = performance.now();
    if (now - beatAt >= beatEveryMs) {
      beatAt = now;
      heartbeat({ v: 1, processes, ...more() });
    }
    // All watches look at the same moments: to wake a process that rests costs more than the look.
    await sleep(lookEveryMs - (now % lookEveryMs), signal);
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
