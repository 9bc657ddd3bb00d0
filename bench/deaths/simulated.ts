/** A cluster of many simulated nodes: real Temporal, the real control worker, real workflows; acts only take time. */
import { setTimeout as wait } from 'node:timers/promises';
import { sleep } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { actQueue, clusterWorkflowId, controlQueue, probeQueue } from '../../src/cluster/names.ts';
import { digest } from '../../src/cluster/hash.ts';
import { openConnection } from '../../src/temporal/closable.ts';
import type { StoredEvent } from '../../test/faults/judge/histories.ts';
import type { ActivityName } from '../../test/support/nodes.ts';
import { ScriptedCluster, seedSpec } from '../../test/support/nodes.ts';
import { newNamespace, startTemporal } from '../../test/support/temporal.ts';
import type { ControlWorker } from './control-worker.ts';
import { dieAndReturn, startControlWorker } from './control-worker.ts';
import { stallAfter } from './stall.ts';

export const victims = ['control worker', 'Temporal', 'both'] as const;
export type Victim = (typeof victims)[number];

export interface Disturbance {
  readonly afterMs: number;
  readonly victim: Victim;
}

export interface SimulatedRun {
  readonly ms: number;
  /** Milliseconds for which the death kept the run from going on; null where it was over before, or nothing died. */
  readonly stallMs: number | null;
  /** Acts that were begun on a node although one of the same name had ended well there. */
  readonly repeated: number;
}

/** How long an act takes, so that deaths fall into the middle of acts, and sixteen nodes do not fill two cores. */
const actMs = 1_200;
const quick: readonly ActivityName[] = ['observeNode', 'confirmRanks', 'readLock', 'watchGangUnit'];

class SlowCluster extends ScriptedCluster {
  override async serve<T>(
    activity: ActivityName,
    node: string,
    input: unknown,
    act: () => Promise<T>,
  ): Promise<T> {
    if (!quick.includes(activity)) await sleep(actMs);
    return super.serve(activity, node, input, act);
  }

  get repeated(): number {
    return this.calls.filter(
      ({ activity, node, began }) =>
        !quick.includes(activity) &&
        this.calls.some(
          (other) =>
            other.activity === activity && other.node === node && other.ended !== null && other.ended < began,
        ),
    ).length;
  }
}

/** One bring-up from nothing to an answer, disturbed or not. */
export type Simulate = (disturbance?: Disturbance) => Promise<SimulatedRun>;

export interface Simulation {
  readonly run: Simulate;
  /** The same, by a control worker whose sticky window is the SDK's default. */
  readonly runByDefault: Simulate;
  close(): Promise<void>;
}

/** Start a service of its own, with its database in a file, and a control worker in each of two namespaces. */
export async function openSimulation(nodes: number): Promise<Simulation> {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: 'OFF', forward: {} } },
  });
  const server = await startTemporal({ withFile: true });
  const { address } = server;
  const opened = openConnection({ address });
  const { connection } = opened;
  const native = await NativeConnection.connect({ address });
  const controls: ControlWorker[] = [];
  const openSide = async (hasDefaultWindow: boolean): Promise<Simulate> => {
    const namespace = await newNamespace(new Client({ connection }), 'bench');
    const client = new Client({ connection, namespace });
    const control = await startControlWorker({ address, namespace, hasDefaultWindow });
    controls.push(control);
    let runs = 0;
    return (disturbance) =>
      runOnce({ client, native, server, control }, new SlowCluster(specOf(nodes, (runs += 1))), disturbance);
  };
  return {
    run: await openSide(false),
    runByDefault: await openSide(true),
    close: async () => {
      await Promise.all(controls.map((control) => control.stop()));
      await native.close();
      await opened.close();
      await server.stop();
    },
  };
}

function specOf(count: number, nth: number) {
  const name = `deaths-${nth}`;
  const nodes = Array.from({ length: count }, (_none, at) => ({
    name: `${at % 2 === 0 ? 'spark' : 'thor'}-${at}`,
    address: `10.0.1.${at + 1}`,
    id: digest({ name, at }),
  }));
  return seedSpec(name, { nodes, head: nodes[0]?.name, parallel: { pipeline: count } });
}

type Handle = Pick<WorkflowHandle, 'fetchHistory'>;

interface Parts {
  readonly client: Client;
  readonly native: NativeConnection;
  readonly server: Pick<ControlWorker, 'kill' | 'start'>;
  readonly control: ControlWorker;
}

async function runOnce(
  { client, native, server, control }: Parts,
  cluster: SlowCluster,
  disturbance: Disturbance | undefined,
): Promise<SimulatedRun> {
  const workers = await Promise.all(
    cluster.nodes.flatMap(({ spec: { id }, acts, probes }) =>
      [
        { taskQueue: actQueue(id), activities: acts },
        { taskQueue: probeQueue(id), activities: probes },
      ].map((each) =>
        Worker.create({
          ...each,
          connection: native,
          namespace: client.options.namespace,
        }),
      ),
    ),
  );
  const running = workers.map((worker) => worker.run());
  try {
    const startedAt = performance.now();
    const handle = await client.workflow.start('bringUpCluster', {
      workflowId: clusterWorkflowId(cluster.spec.name),
      taskQueue: controlQueue,
      args: [cluster.spec],
    });
    const parts = { 'control worker': [control], Temporal: [server], both: [control, server] };
    const died =
      disturbance === undefined
        ? Promise.resolve(undefined)
        : wait(disturbance.afterMs).then(() => dieAndReturn(parts[disturbance.victim]));
    await whileAway(() => handle.result());
    const ms = performance.now() - startedAt;
    const killedAt = await died;
    const stallMs =
      disturbance === undefined || killedAt === undefined
        ? null
        : await readStall(handle, disturbance.victim, killedAt);
    return { ms, stallMs, repeated: cluster.repeated };
  } finally {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
  }
}

/**
 * While the control worker alone is dead, acts go on, and only work that waits for it is held up. While the service is
 * away nothing can even be reported: all the time counts, the rest of an act that would have been waited for included.
 */
async function readStall(handle: Handle, victim: Victim, killedAt: number): Promise<number | null> {
  const history = await whileAway(() => handle.fetchHistory());
  const { events } = JSON.parse(historyToJSON(history)) as { events: StoredEvent[] };
  const stall = stallAfter(events, killedAt);
  if (!stall) return null;
  const from = victim === 'control worker' ? Math.max(killedAt, stall.readyAt) : killedAt;
  return stall.resumedAt - from;
}

/** Ask the service, and again while it is away. */
async function whileAway<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ServiceError') throw error;
      await wait(50);
    }
  }
}
