/** Runs an activity as a node worker would, without a Temporal service: it finds who asks, and its heartbeats are kept. */
import type { Context, Info } from '@temporalio/activity';
import { asyncLocalStorage } from '@temporalio/activity';
import { nodeContext } from '../../../activities/context.ts';
import type { NodeContext } from '../../../activities/context.ts';
import type { RunRef } from '../../../src/cluster/inputs.ts';

export const nodeId = '00000000000000aa';
export const run: RunRef = { cluster: 'lab', home: nodeId, fence: { startedAt: 1, run: 'run-1' } };

/** What all activities take, for a root folder. */
export const base = (root: string) => ({ run, node: nodeId, root });

/** A machine with its root in a folder of the test. */
export const machine = (root: string): NodeContext =>
  nodeContext({ id: nodeId, root, scriptPath: `${root}/node.js`, inherited: {} });

export interface Asked {
  readonly activityId?: string;
  readonly attempt?: number;
  readonly runId?: string;
  readonly signal?: AbortSignal;
  readonly heartbeats?: unknown[];
  /** What the last heartbeat of the attempt before said. */
  readonly heartbeatDetails?: unknown;
}

export function inActivity<T>(work: () => Promise<T>, asked: Asked = {}): Promise<T> {
  const { activityId = 'act@node', attempt = 1, runId = 'run-1' } = asked;
  const info: Partial<Info> = {
    activityId,
    attempt,
    heartbeatDetails: asked.heartbeatDetails,
    workflowExecution: { workflowId: 'cluster/lab', runId },
  };
  const context: Partial<Context> = {
    info: info as Info,
    cancellationSignal: asked.signal ?? new AbortController().signal,
    heartbeat: (details) => asked.heartbeats?.push(details),
  };
  return asyncLocalStorage.run(context as Context, work);
}
