/** I3: a run that waits for a person is seen by everybody: `status` names what is waited for, where and since when. */
import type { Outcome } from '../fault.ts';
import { clusterFile } from '../places.ts';
import type { Scene } from '../scene.ts';

interface Waiting {
  readonly node: string;
  readonly since: number;
  readonly what: string;
}

/** Sentences about a run of which `up` said that it waits, and of which `status` does not say the same. */
export async function unseenWait(scene: Scene, outcome: Outcome): Promise<string[]> {
  if (!isWaiting(outcome)) return [];
  const status = await scene.run(['status', clusterFile, '--json']);
  const said = JSON.parse(status.stdout) as {
    status: string;
    run: { board: { waitingFor: Waiting | null } | null } | null;
  };
  const waiting = said.run?.board?.waitingFor;
  const isSeen =
    status.exit === 5 &&
    said.status === 'waiting' &&
    waiting !== null &&
    waiting !== undefined &&
    [waiting.node, waiting.what].every((text) => text !== '') &&
    waiting.since >= scene.since - aMinute &&
    waiting.since <= Date.now() + aMinute;
  return isSeen ? [] : [`I3: the run waits, and status says: ${status.stdout}${status.stderr}`];
}

/** The service's clock and this one are the same machine's; a minute is far below what would mislead anybody. */
const aMinute = 60_000;

/** An `up` that was told of another key ends with the same code, and there is no run that waits. */
function isWaiting({ exit, stdout }: Outcome): boolean {
  return exit === 5 && typeof (JSON.parse(stdout) as { waiting?: unknown }).waiting === 'string';
}
