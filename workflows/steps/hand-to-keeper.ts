/** Tell the keeper of a cluster what serves now; start it where there is none, and end it where none is wanted. */
import { ApplicationFailure, getExternalWorkflowHandle, startChild } from '@temporalio/workflow';
import { members } from '../../src/cluster/gang.ts';
import type { ServingGang } from '../../src/cluster/keeper.ts';
import { keeperWorkflowId } from '../../src/cluster/names.ts';
import type { keepCluster } from '../keep.ts';
import { servingSignal } from '../messages.ts';
import type { Gang } from './gang.ts';

/** Returns the id of the keeper; null where the cluster file switches it off. */
export async function handToKeeper(gang: Gang): Promise<string | null> {
  const { spec, run, engineUnit } = gang;
  if (!spec.keeper.enabled) {
    await endKeeper(spec.name);
    return null;
  }
  const serving: ServingGang = {
    spec,
    run,
    engineUnit,
    members: members(gang).map(({ prepared: { node }, rayUnit, ray: { gpus } }) => ({ node, rayUnit, gpus })),
  };
  // Between the two calls another run may start it, or a person end it.
  while (!(await isTold(serving)) && !(await isStarted(serving)));
  return keeperWorkflowId(spec.name);
}

/** End the keeper, if there is one: what it has begun is under `cluster/<name>`, which the caller holds. */
export async function endKeeper(cluster: string): Promise<void> {
  await whereThere(() => getExternalWorkflowHandle(keeperWorkflowId(cluster)).cancel());
}

const isTold = (serving: ServingGang): Promise<boolean> =>
  whereThere(() =>
    getExternalWorkflowHandle(keeperWorkflowId(serving.spec.name)).signal(servingSignal, serving),
  );

/** Do something to a run; false where there is none. */
async function whereThere(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === 'ExternalWorkflowExecutionNotFound')
      return false;
    throw error;
  }
}

async function isStarted(serving: ServingGang): Promise<boolean> {
  const { name } = serving.spec;
  try {
    await startChild<typeof keepCluster>('keepCluster', {
      workflowId: keeperWorkflowId(name),
      args: [{ serving, losses: [], last: null, since: Date.now() }],
      parentClosePolicy: 'ABANDON',
      cancellationType: 'ABANDON',
      staticSummary: `${name} · its keeper`,
    });
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError') return false;
    throw error;
  }
}
