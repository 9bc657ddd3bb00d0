/** The daemons of Ray without which the ranks of a node are lost: the raylet, and on the head the GCS. */
import { isGcs, isRaylet, missingDaemon } from '../src/cluster/ranks.ts';
import { fail } from '../src/errors.ts';
import type { UnitMember } from '../src/process/units.ts';
import { logTail } from './acts.ts';
import type { NodeContext } from './context.ts';

const logFiles = { raylet: 'raylet.out', GCS: 'gcs_server.out' };

/** Those among the processes of a Ray unit. What a daemon forks bears its command line for a moment; it is older. */
export function daemonsOf(members: readonly UnitMember[]): UnitMember[] {
  return [isRaylet, isGcs].flatMap((isIt) =>
    members
      .filter(({ command }) => isIt(command))
      .toSorted((one, other) => one.startTicks - other.startTicks || one.pid - other.pid)
      .slice(0, 1),
  );
}

/** RAY_FAILED with the last words of the daemon that is missing among the processes of a Ray unit; null where none is. */
export async function daemonDied(
  context: NodeContext,
  members: readonly UnitMember[],
): Promise<Error | null> {
  const missing = missingDaemon(members.map(({ command }) => command));
  if (missing === null) return null;
  const log = `${context.layout.ray}/session_latest/logs/${logFiles[missing]}`;
  const words = lastWords(await logTail(log, 16_384)) || 'it left no log';
  return fail('RAY_FAILED', { evidence: `the ${missing} has ended: ${words}`, log });
}

/** What a daemon gave as its reason, at most 800 characters; the stack below it tells its users nothing. */
export function lastWords(log: string): string {
  // Ray marks the line by a C for critical: `[2026-11-28 09:21:00,000 C 2453 2453] (raylet) node_manager.cc:3588: …`.
  const reason = log.split('\n').findLast((line) => /^\[\S+ \S+ C \d+ \d+\] /.test(line));
  return reason === undefined ? log.slice(-800) : reason.slice(0, 800);
}
