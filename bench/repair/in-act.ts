/**
 * A node worker is killed, stopped or cut off in the middle of an act. The service itself tells when it gave the attempt
 * up and when the next one began: its clock is the machine's, and every host's.
 */
import { activityIdOf } from '../../src/cluster/names.ts';
import type { Pending } from '../../test/faults/judge/histories.ts';
import { readPending } from '../../test/faults/judge/histories.ts';
import type { Host } from '../../test/lab/host.ts';
import type { Log } from '../../test/lab/run.ts';
import { until } from '../../test/lab/run.ts';
import { demandSuccess } from '../../test/lab/start-over.ts';
import type { Cluster } from './cluster.ts';
import { hasBegun, nodeWorkerOf, startedAt } from './cluster.ts';
import type { Sample } from './samples.ts';

/** The heartbeat time-out of an act, as the workflows have it. */
export const heartbeatTimeoutMs = 15_000;

/** A question to the service costs a process there, which takes from what is measured. */
const askEveryMs = 500;

/** A bring-up whose wheels on the worker node are held at half. */
async function upToWheels(cluster: Cluster) {
  await cluster.strip();
  const since = Date.now();
  const hold = cluster.stage.index.traffic.hold(/torch-.*\.whl$/);
  const { running } = await cluster.start({ isKept: false });
  await Promise.race([
    hold.reached,
    running.then(({ stdout, stderr }) => {
      throw new Error(`up ended before a download was held: ${String(stdout)}${String(stderr)}`);
    }),
  ]);
  await until('the install was begun', () => hasBegun(cluster.worker, 'install wheels', since));
  const id = activityIdOf('install wheels', cluster.worker.name);
  return { since, id, release: hold.release, running };
}

/** A bring-up in which the worker node falls silent in each of several ways while it installs wheels. */
export async function silenceInAct(cluster: Cluster, log: Log): Promise<Sample[]> {
  const { id, release, running } = await upToWheels(cluster);
  const samples: Sample[] = [];
  for (const each of silencesOf(cluster)) {
    const sample = await silence(cluster, each, id);
    log(`${each.fault}: ${describe(sample)}`);
    samples.push(sample);
  }
  release();
  demandSuccess(await running);
  return samples;
}

/** Deaths of node workers in one bring-up: in an install, while the engine starts, and while its rank is watched. */
export async function killInActs(cluster: Cluster, log: Log): Promise<Sample[]> {
  const { head, worker } = cluster;
  const samples: Sample[] = [];
  const kill = async (host: Host, id: string) => {
    const sample = await killNodeWorker(cluster, host, id);
    log(`node worker killed in ${id}: ${describe(sample)}`);
    samples.push(sample);
  };
  await cluster.setSpeed(true);
  const { since, id, release, running } = await upToWheels(cluster);
  await kill(worker, id);
  release();
  await until('the engine is launched', () => hasBegun(head, 'launch server', since), { seconds: 120 });
  const ready = activityIdOf('wait until ready', head.name);
  await until('the engine is waited for', () => pendingOf(head, ready), { everyMs: askEveryMs });
  await kill(worker, activityIdOf('watch rank', worker.name));
  await kill(head, ready);
  demandSuccess(await running);
  await cluster.setSpeed(false);
  return samples;
}

export const describe = ({ noticedMs, resumedMs }: Sample): string =>
  `noticed after ${noticedMs.toFixed(0)} ms, resumed ${resumedMs === null ? 'not' : `${resumedMs.toFixed(0)} ms later`}`;

const pendingOf = async (head: Host, id: string): Promise<Pending | undefined> =>
  (await readPending(head)).find(({ activityId }) => activityId === id);

async function triedAgain(head: Host, id: string, since: number, seconds = 60): Promise<number> {
  return until(
    `${id} is tried again`,
    async () => {
      const again = Date.parse((await pendingOf(head, id))?.lastStartedTime ?? '');
      return again > since ? again : undefined;
    },
    { seconds, everyMs: askEveryMs },
  );
}

/** systemd notices; the work goes on when the act is tried again. */
async function killNodeWorker({ head }: Cluster, host: Host, id: string): Promise<Sample> {
  const victim = await nodeWorkerOf(host);
  const at = Date.now();
  process.kill(victim.pid, 'SIGKILL');
  const noticedAt = await startedAt(await nodeWorkerOf(host, victim));
  const resumedAt = await triedAgain(head, id, at);
  return {
    fault: 'node worker killed in an act',
    noticedMs: noticedAt - at,
    resumedMs: resumedAt - noticedAt,
    servesMs: null,
  };
}

interface Silence {
  readonly fault: string;
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** The kinds of silence of a node in an act. */
function silencesOf({ head, worker }: Cluster): Silence[] {
  const signal = (name: NodeJS.Signals) => async () => {
    process.kill((await nodeWorkerOf(worker)).pid, name);
  };
  const end = () => worker.heal();
  return [
    { fault: 'node worker stopped in an act', begin: signal('SIGSTOP'), end: signal('SIGCONT') },
    { fault: 'all packets lost in an act', begin: () => worker.isolateFrom(head), end },
    { fault: 'link down in an act', begin: () => worker.cutOff(), end },
  ];
}

/** The pause before an attempt, as the workflows have it; the service tells only when an attempt is due. */
const pauseMs = (attempt: number): number => 500 * 2 ** (attempt - 2);

/** The service notices, by the heartbeats that are missing; the work goes on once the silence has ended. */
async function silence(cluster: Cluster, { fault, begin, end }: Silence, id: string): Promise<Sample> {
  const { head } = cluster;
  const before = (await pendingOf(head, id))?.attempt ?? 1;
  const at = Date.now();
  await begin();
  const noticedAt = await until(
    'the service gives the attempt up',
    async () => {
      const { attempt = 1, scheduledTime = '' } = (await pendingOf(head, id)) ?? {};
      return attempt > before ? Date.parse(scheduledTime) - pauseMs(attempt) : undefined;
    },
    { seconds: 60, everyMs: askEveryMs },
  );
  const endedAt = Date.now();
  await end();
  const resumedAt = await triedAgain(head, id, endedAt, 120);
  return {
    fault,
    noticedMs: noticedAt - at,
    resumedMs: resumedAt - endedAt,
    servesMs: null,
  };
}
