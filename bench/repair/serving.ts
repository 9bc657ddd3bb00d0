/** A part of the serving gang dies while the keeper watches: the histories of keeper and repair tell what followed. */
import { clusterWorkflowId, keeperWorkflowId } from '../../src/cluster/names.ts';
import type { StoredEvent } from '../../test/faults/judge/histories.ts';
import { ask, readPending } from '../../test/faults/judge/histories.ts';
import type { Host } from '../../test/lab/host.ts';
import type { HostProcess } from '../../test/lab/host-processes.ts';
import { until } from '../../test/lab/run.ts';
import type { Cluster } from './cluster.ts';
import { engineOf, hasBegun, rankOf, rayletOf } from './cluster.ts';
import type { Sample } from './samples.ts';

const clusterName = 'faults';

export interface Part {
  readonly fault: string;
  readonly harm: NodeJS.Signals;
  /** The longest that its notice may take. */
  readonly seconds: number;
  readonly find: (cluster: Cluster) => Promise<HostProcess>;
}

const death = { harm: 'SIGKILL', seconds: 60 } as const;

export const parts: readonly Part[] = [
  { ...death, fault: 'rank killed while serving', find: ({ worker }) => rankOf(worker) },
  { ...death, fault: 'raylet killed while serving', find: ({ worker }) => rayletOf(worker) },
  { ...death, fault: 'engine killed while serving', find: ({ head }) => engineOf(head) },
];

/** Its port goes on accepting connections, and nothing is answered. */
export const hang: Part = {
  fault: 'engine hangs with its port open',
  harm: 'SIGSTOP',
  seconds: 300,
  find: ({ head }) => engineOf(head),
};

/** Harm a part of the gang and follow its repair to the end. The cluster serves, kept, before and afterwards. */
export async function harmGang(cluster: Cluster, { fault, harm, seconds, find }: Part): Promise<Sample> {
  const { head } = cluster;
  const { pid } = await find(cluster);
  const at = Date.now();
  process.kill(pid, harm);
  await until('the engine is launched again', () => hasBegun(head, 'launch server', at), {
    seconds,
    everyMs: 100,
  });
  const keeper = await eventsOf(head, keeperWorkflowId(clusterName));
  const runs: (readonly StoredEvent[])[] = [];
  for (const run of runsBegunBy(keeper, at)) runs.push(await wholeRun(head, run));
  const sample = readRepair(fault, at, keeper, runs);
  // A run of somebody's own ends the keeper's count of losses.
  await cluster.up({ isKept: true });
  return sample;
}

const wholeRun = (head: Host, run: string): Promise<readonly StoredEvent[]> =>
  until(
    'the repair ends',
    async () => {
      const events = await eventsOf(head, clusterWorkflowId(clusterName), run);
      return events.at(-1)?.eventType.endsWith('WORKFLOW_EXECUTION_COMPLETED') === true ? events : undefined;
    },
    { seconds: 240, everyMs: 1_000 },
  );

async function eventsOf(head: Host, id: string, run?: string): Promise<readonly StoredEvent[]> {
  const which = run === undefined ? [] : ['-r', run];
  return ((await ask(head, 'show', '-w', id, ...which)) as { events: readonly StoredEvent[] }).events;
}

const timeOf = ({ eventTime }: StoredEvent): number => Date.parse(eventTime);

/**
 * The runs that a keeper has begun since a moment: a bring-up, and before it a tear-down of what hangs. A later run of
 * somebody's own bears the same id. Pure.
 */
export function runsBegunBy(keeper: readonly StoredEvent[], at: number): string[] {
  const runs = keeper.flatMap((event) => {
    const run = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution.runId;
    return run === undefined || timeOf(event) < at ? [] : [run];
  });
  if (runs.length === 0) throw new Error('the keeper has begun no repair');
  return runs;
}

/** What the histories of keeper and repair say of a harm that was done at a moment. Pure. */
export function readRepair(
  fault: string,
  at: number,
  keeper: readonly StoredEvent[],
  runs: readonly (readonly StoredEvent[])[],
): Sample {
  const noticed = keeper.find((event) => isLoss(event) && timeOf(event) >= at);
  const acts = runs.flatMap(actsOf);
  const last = runs.at(-1)?.at(-1);
  if (!noticed || acts.length === 0 || !last) throw new Error(`${fault}: no repair stands in the histories`);
  return {
    fault,
    noticedMs: timeOf(noticed) - at,
    resumedMs: Math.min(...acts.map(timeOf)) - timeOf(noticed),
    servesMs: timeOf(last) - at,
  };
}

function actsOf(run: readonly StoredEvent[]): StoredEvent[] {
  const ids = new Map(
    run.map((event) => [event.eventId, event.activityTaskScheduledEventAttributes?.activityId ?? '']),
  );
  return run.filter(({ activityTaskStartedEventAttributes: started }) =>
    actsOfRepair.test(ids.get(started?.scheduledEventId ?? '') ?? ''),
  );
}

/** Where nothing is left of the gang but its Ray, nothing is stopped: the engine is launched again. */
const actsOfRepair = /^(?:stop|start-head|launch-server)@/;

const isLoss = ({ eventType }: StoredEvent): boolean => /ACTIVITY_TASK_(FAILED|TIMED_OUT)$/.test(eventType);

export interface Alarms {
  readonly seconds: number;
  readonly percent: number;
  /** Packets that were lost on purpose. */
  readonly packetsLost: number;
  /** Watches that ended, repairs that were begun, and attempts of a watch that were given up. */
  readonly alarms: number;
}

/** Watch a gang that is well over a link that loses packets. */
export async function watchLossy(
  { head, worker }: Cluster,
  { seconds, percent }: { readonly seconds: number; readonly percent: number },
  wait: (ms: number) => Promise<void>,
): Promise<Alarms> {
  const at = Date.now();
  await worker.lose({ percent });
  await wait(seconds * 1_000);
  const packetsLost = await worker.packetsLost();
  await worker.heal();
  const ended = (await eventsOf(head, keeperWorkflowId(clusterName))).filter(
    (event) =>
      timeOf(event) >= at &&
      (isLoss(event) || event.eventType.includes('CHILD_WORKFLOW_EXECUTION_INITIATED')),
  );
  const again = (await readPending(head)).filter(
    ({ activityId, attempt = 1 }) => activityId.startsWith('watch-') && attempt > 1,
  );
  return { seconds, percent, packetsLost, alarms: ended.length + again.length };
}
