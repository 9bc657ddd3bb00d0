/** What Temporal itself costs: a real server, workers of the SDK, and activities that do nothing. */
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { startTemporal } from '../../test/support/temporal.ts';
import { cpuMsOf } from '../machine.ts';
import { quantile, median } from '../statistics.ts';
import type { NothingInput } from './workflows.ts';

export interface RawCase {
  readonly queues: number;
  readonly activitiesPerQueue: number;
  readonly runs: readonly number[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** From the server's taking of an activity to its start by a worker, of all activities of the case. */
  readonly scheduleToStart: { readonly p50Ms: number; readonly p99Ms: number };
  readonly eventsPerRun: number;
  readonly cpuMsPerActivity: { readonly server: number; readonly workers: number };
}

const controlQueue = 'bench-control';
const nodeQueue = (at: number): string => `bench-node-${at}`;

/** Run each case `repetitions` times after one that does not count. Takes some seconds to start the server. */
export async function measureRaw(
  cases: readonly { readonly queues: number; readonly activities: number }[],
  repetitions: number,
): Promise<RawCase[]> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const server = await startTemporal({ withFile: true });
  const connection = await NativeConnection.connect({ address: server.address });
  const client = new Client({ connection });
  try {
    const most = Math.max(...cases.map(({ queues }) => queues));
    const workers = await startWorkers(connection, most);
    try {
      const results: RawCase[] = [];
      for (const { queues, activities } of cases)
        results.push(await measureCase(client, server.pid, queues, activities, repetitions));
      return results;
    } finally {
      await workers.stop();
    }
  } finally {
    await connection.close();
    await server.stop();
  }
}

/** A worker for the workflow, and one for each node's queue, which takes one activity at a time as a node worker does. */
async function startWorkers(connection: NativeConnection, nodes: number) {
  const activities = { nothing: () => Promise.resolve() };
  const workers = await Promise.all([
    Worker.create({
      connection,
      taskQueue: controlQueue,
      workflowsPath: join(import.meta.dirname, 'workflows.ts'),
    }),
    ...Array.from({ length: nodes }, (_, at) =>
      Worker.create({
        connection,
        taskQueue: nodeQueue(at),
        activities,
        maxConcurrentActivityTaskExecutions: 1,
      }),
    ),
  ]);
  const running = workers.map((worker) => worker.run());
  return {
    stop: async () => {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
    },
  };
}

async function measureCase(
  client: Client,
  serverPid: number,
  queues: number,
  activities: number,
  repetitions: number,
): Promise<RawCase> {
  const input: NothingInput = {
    queues: Array.from({ length: queues }, (_, at) => nodeQueue(at)),
    activities,
  };
  let started = 0;
  const once = async (): Promise<{ ms: number; workflowId: string }> => {
    const workflowId = `bench-${queues}-${activities}-${(started += 1)}`;
    const startedAt = performance.now();
    await client.workflow.execute('doNothing', { workflowId, taskQueue: controlQueue, args: [input] });
    return { ms: performance.now() - startedAt, workflowId };
  };
  await once();
  const [serverFrom, workersFrom] = [await cpuMsOf(serverPid), process.cpuUsage()];
  const runs: { ms: number; workflowId: string }[] = [];
  for (let at = 0; at < repetitions; at += 1) runs.push(await once());
  const count = repetitions * queues * activities;
  const used = process.cpuUsage(workersFrom);
  const server = ((await cpuMsOf(serverPid)) - serverFrom) / count;
  const histories = await Promise.all(
    runs.map(
      async ({ workflowId }) => (await client.workflow.getHandle(workflowId).fetchHistory()).events ?? [],
    ),
  );
  const waits = histories.flatMap(waitsOf);
  const times = runs.map(({ ms }) => ms);
  return {
    queues,
    activitiesPerQueue: activities,
    runs: times,
    p50Ms: median(times),
    p99Ms: quantile(times, 0.99),
    scheduleToStart: { p50Ms: median(waits), p99Ms: quantile(waits, 0.99) },
    eventsPerRun: median(histories.map((events) => events.length)),
    cpuMsPerActivity: { server, workers: (used.user + used.system) / 1_000 / count },
  };
}

type History = NonNullable<
  Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>['events']
>;
type Time = History[number]['eventTime'];

const msOf = (time: Time): number => Number(time?.seconds ?? 0) * 1_000 + (time?.nanos ?? 0) / 1e6;

/** Milliseconds from schedule to start of every activity in a history. */
function waitsOf(events: History): number[] {
  const at = new Map(events.map((event) => [String(event.eventId), msOf(event.eventTime)]));
  return events.flatMap((event) => {
    const scheduled = event.activityTaskStartedEventAttributes?.scheduledEventId;
    const from = scheduled == null ? undefined : at.get(String(scheduled));
    return from === undefined ? [] : [msOf(event.eventTime) - from];
  });
}
