/** A start under any other id is handed to `cluster/<name>`, which is also the lock; a run there is waited for. */
import { ApplicationFailure, startChild } from '@temporalio/workflow';
import { clusterWorkflowId } from '../src/cluster/names.ts';
import type { BringUpReport, TearDownReport } from '../src/cluster/report.ts';
import type { ClusterSpec } from '../src/config/schema.ts';
import { control } from './activities.ts';
import { workflowFailure } from './failures.ts';
import { sameSpec } from './spec.ts';

export async function handOver(spec: ClusterSpec): Promise<BringUpReport> {
  return (await start('bringUpCluster', spec)) as BringUpReport;
}

export async function handOverTearDown(spec: ClusterSpec): Promise<TearDownReport> {
  return (await start('tearDownCluster', spec)) as TearDownReport;
}

async function start(type: 'bringUpCluster' | 'tearDownCluster', spec: ClusterSpec): Promise<unknown> {
  const workflowId = clusterWorkflowId(spec.name);
  try {
    const child = await startChild(type, {
      workflowId,
      args: [spec],
      parentClosePolicy: 'ABANDON',
      staticSummary: `${spec.name} · ${type}`,
    });
    return await child.result();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
  }
  const running = await control.describeRun({ workflowId });
  if (running.type !== type || running.spec === null || !sameSpec(running.spec, spec)) {
    throw workflowFailure('RUN_BUSY', { workflow: workflowId, run: running.run, since: running.since });
  }
  const result = await control.awaitRun({ workflowId, run: running.run });
  if (result === null)
    throw ApplicationFailure.nonRetryable(`${workflowId} (run ${running.run}) did not end well`, 'INTERNAL');
  return result;
}
