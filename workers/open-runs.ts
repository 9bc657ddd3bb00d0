/** Runs that are under way at this home, and which of them a workflow bundle cannot replay. */
import type { Client, HistoryAndWorkflowId } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { controlQueue } from '../src/cluster/names.ts';
import { keptBy } from '../src/temporal/kept.ts';
import { versionIn } from './identity.ts';

export interface OpenRun {
  readonly workflowId: string;
  readonly runId: string;
  /** The version of windlass that it goes on with; null where that is the one placed. */
  readonly keptBy: string | null;
  /** The version whose control worker went on with it last; null where that is not known, or the service would not say. */
  readonly lastBy: string | null;
}

/** A cluster has its run, its keeper and a child for each node: this is dozens of large clusters at one home. */
const mostRuns = 2_000;

/** Questions to the service under way at a time: each is short, and hundreds of runs must not be a flood. */
const asksAtOnce = 16;

/** All runs that the control worker has to go on with. The service lists a new one up to a second after its start. */
export async function openRuns(client: Client): Promise<OpenRun[]> {
  const listed: Execution[] = [];
  const query = `ExecutionStatus = 'Running' AND TaskQueue = '${controlQueue}'`;
  for await (const { workflowId, runId } of client.workflow.list({ query })) {
    listed.push({ workflowId, runId });
    if (listed.length === mostRuns) break;
  }
  const runs: OpenRun[] = [];
  for (let at = 0; at < listed.length; at += asksAtOnce) {
    const some = listed.slice(at, at + asksAtOnce);
    runs.push(...(await Promise.all(some.map(async (execution) => look(client, execution)))).flat());
  }
  return runs;
}

type Execution = Pick<OpenRun, 'workflowId' | 'runId'>;

/** None where it has ended since it was listed. */
async function look(client: Client, execution: Execution): Promise<OpenRun[]> {
  const { workflowId, runId } = execution;
  const description = await unlessGone(() => client.workflow.getHandle(workflowId, runId).describe());
  if (description?.status.name !== 'RUNNING') return [];
  return [
    { ...execution, keptBy: keptBy(description), lastBy: await lastBy(client, execution).catch(() => null) },
  ];
}

/** A run that is told much while a task of its workflow is open has many events after its last finished one. */
const lastEvents = 50;

async function lastBy(client: Client, execution: Execution): Promise<string | null> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution,
    maximumPageSize: lastEvents,
  });
  for (const { workflowTaskCompletedEventAttributes: completed } of history?.events ?? []) {
    if (completed) return versionIn(completed.identity ?? '');
  }
  return null;
}

/** Replay runs on a bundle, one after the other. Returns those that it cannot go on with, each with the reason. */
export async function unreplayable(
  client: Client,
  codePath: string,
  runs: readonly OpenRun[],
): Promise<Map<OpenRun, Error>> {
  const byId = new Map(runs.map((run) => [run.workflowId, run]));
  const failed = new Map<OpenRun, Error>();
  const replays = Worker.runReplayHistories({ workflowBundle: { codePath } }, histories(client, runs));
  for await (const { workflowId, error } of replays) {
    const run = byId.get(workflowId);
    if (run && error) failed.set(run, error);
  }
  return failed;
}

/** One at a time: a history may have megabytes. */
async function* histories(client: Client, runs: readonly OpenRun[]): AsyncIterable<HistoryAndWorkflowId> {
  for (const { workflowId, runId } of runs) {
    const history = await unlessGone(() => client.workflow.getHandle(workflowId, runId).fetchHistory());
    if (history) yield { workflowId, history };
  }
}

/** A run may end, and be forgotten, between two questions about it. */
async function unlessGone<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
