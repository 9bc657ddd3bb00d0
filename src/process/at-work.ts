/**
 * Do processes work, or are they only there? Daemons at rest wake up all the time and use a little each; a compiler, or
 * a process that waits for a peer in a loop, uses a good part of a core.
 */
import type { UnitMember } from './units.ts';

/** What `cpuTicks` counts: hundredths of a second. */
const ticksPerMs = 0.1;

/** Of a core, for each process. A start at rest over Ray stays below it, whose daemons together did not; observed on stand-ins. */
const workingShare = 0.05;

/** Shorter than this, a burst of a daemon would look like work. */
const windowMs = 5_000;

export interface WorkLook {
  /** Milliseconds of any clock. */
  readonly at: number;
  readonly members: readonly UnitMember[];
}

const who = ({ pid, startTicks }: UnitMember): string => `${pid}/${startTicks}`;

/** Has one of the processes worked between two looks, come or gone? Null while the looks are too close to tell. */
export function haveWorked(before: WorkLook, now: WorkLook): boolean | null {
  const elapsedMs = now.at - before.at;
  if (elapsedMs < windowMs) return null;
  const used = new Map(before.members.map((each) => [who(each), each.cpuTicks]));
  if (now.members.length !== used.size) return true;
  const working = workingShare * elapsedMs * ticksPerMs;
  // One that was not there before has come in the place of another.
  return now.members.some((each) => each.cpuTicks - (used.get(who(each)) ?? -Infinity) > working);
}
