/** The real Temporal server with the real workflows in a namespace of the test's own, and workers of scripted nodes. */
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { Client, WorkflowFailedError } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Board } from '../../src/cluster/board.ts';
import { actQueue, clusterWorkflowId, controlQueue, probeQueue } from '../../src/cluster/names.ts';
import { createControlActivities } from '../../workers/control-activities.ts';
import type { ClosableConnection } from '../../src/temporal/closable.ts';
import { openConnection } from '../../src/temporal/closable.ts';
import type { ScriptedCluster, ScriptedNode } from '../support/nodes.ts';
import { newNamespace, sharedAddress, workflowBundle } from '../support/temporal.ts';

type WorkflowType = 'bringUpCluster' | 'tearDownCluster';
export type Handle = WorkflowHandleWithFirstExecutionRunId;

/** A worker that runs, and how to end it. */
interface Running {
  stop(): Promise<void>;
}

export class Service {
  readonly client: Client;
  private readonly opened: ClosableConnection;
  private readonly native: NativeConnection;
  private readonly workers: Running[] = [];
  private readonly clusters = new Set<ScriptedCluster>();

  private constructor(client: Client, opened: ClosableConnection, native: NativeConnection) {
    this.client = client;
    this.opened = opened;
    this.native = native;
  }

  /**
   * Connect, and start a control worker unless the test has its own. With `shortLimits`, a silent node worker is given up
   * within seconds.
   */
  static async open({
    address = sharedAddress(),
    shortLimits = false,
    withControl = true,
  } = {}): Promise<Service> {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
    });
    const opened = openConnection({ address });
    const { connection } = opened;
    const native = await NativeConnection.connect({ address });
    const namespace = await newNamespace(new Client({ connection }), shortLimits ? 'short-limits' : 'test');
    const client = new Client({ connection, namespace, identity: 'client' });
    const service = new Service(client, opened, native);
    if (!withControl) return service;
    const worker = await Worker.create({
      connection: native,
      namespace,
      taskQueue: controlQueue,
      identity: 'control',
      workflowBundle: workflowBundle(),
      activities: createControlActivities(client),
    });
    service.workers.push(run(worker));
    return service;
  }

  /** Start the two workers of every node, or of those given; what is returned stops them again. */
  async serve(cluster: ScriptedCluster, nodes: readonly ScriptedNode[] = cluster.nodes): Promise<Running> {
    this.clusters.add(cluster);
    const { native: connection } = this;
    const { namespace } = this.client.options;
    const common = {
      connection,
      namespace,
      identity: 'node',
      maxHeartbeatThrottleInterval: '100ms',
    } as const;
    const created = nodes.flatMap(({ spec: { id }, acts, probes }) => [
      Worker.create({ ...common, taskQueue: actQueue(id), activities: acts }),
      Worker.create({ ...common, taskQueue: probeQueue(id), activities: probes }),
    ]);
    const running = (await Promise.all(created)).map(run);
    this.workers.push(...running);
    return { stop: async () => void (await Promise.all(running.map((worker) => worker.stop()))) };
  }

  /** Start a workflow as `temporal workflow start` would, under the id of the cluster unless another is given. */
  start(type: WorkflowType, input: unknown, workflowId?: string): Promise<Handle> {
    const name = (input as { readonly name?: string } | undefined)?.name ?? 'nameless';
    return this.client.workflow.start(type, {
      workflowId: workflowId ?? clusterWorkflowId(name),
      taskQueue: controlQueue,
      args: [input],
    });
  }

  async stop(): Promise<void> {
    for (const { faults } of this.clusters) faults.releaseAll();
    await Promise.all(this.workers.map((worker) => worker.stop()));
    await this.native.close();
    await this.opened.close();
  }
}

function run(worker: Worker): Running {
  const ended = worker.run();
  return {
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

/** The innermost failure of ours with which a run ended. */
export async function failureOf(handle: Handle): Promise<ApplicationFailure> {
  const thrown = await handle.result().then(
    () => {
      throw new Error('the run did not fail');
    },
    (error: unknown) => error,
  );
  let inner = thrown instanceof WorkflowFailedError ? thrown.cause : thrown;
  while (inner instanceof Error && inner.name !== 'ApplicationFailure' && inner.cause !== undefined) {
    inner = inner.cause;
  }
  if (!(inner instanceof Error) || inner.name !== 'ApplicationFailure') throw thrown;
  return inner as ApplicationFailure;
}

/** The table of a run, at any time. */
export const boardOf = (handle: Handle): Promise<Board> => handle.query<Board>('status');

/** Events of a run, as often as its type says. */
export async function eventsOf(handle: Handle) {
  const { events } = await handle.fetchHistory();
  return events ?? [];
}

/** Ids of the children that a run started. */
export async function childrenOf(handle: Handle): Promise<string[]> {
  return (await eventsOf(handle)).flatMap(({ startChildWorkflowExecutionInitiatedEventAttributes: child }) =>
    child?.workflowId ? [child.workflowId] : [],
  );
}

/** Wait until a condition holds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within 15 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
