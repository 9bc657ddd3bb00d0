/** Bring every node to where the gang can start: environment, proof, model. Nodes that are as wanted cost nothing. */
import { startChild, workflowInfo } from '@temporalio/workflow';
import type { PreparedNode } from '../../src/cluster/gang.ts';
import type { RunRef } from '../../src/cluster/inputs.ts';
import { prepareWorkflowId } from '../../src/cluster/names.ts';
import type { NodePlan } from '../../src/cluster/plan.ts';
import { needsOf, placeOf, planNodes } from '../../src/cluster/plan.ts';
import type { ClusterSpec } from '../../src/config/schema.ts';
import { allUnlessOneFails, pure, workflowFailure } from '../failures.ts';
import type { prepareNode } from '../prepare-node.ts';
import type { Progress } from '../progress.ts';
import type { KnownLock } from './locks.ts';
import { resolveCommit, resolveLocks } from './locks.ts';
import type { ObservedNode } from './observe.ts';

export async function prepare(
  spec: ClusterSpec,
  run: RunRef,
  observed: readonly ObservedNode[],
  progress: Progress,
): Promise<PreparedNode[]> {
  const plans = pure(() => planNodes(spec, observed));
  const [locks, commit] = await allUnlessOneFails([
    () => resolveLocks(spec, run, plans, progress),
    () => resolveCommit(spec, run, plans, progress),
  ]);
  // Environments that are on their way are still proven, so that all wrong ones are told; what then goes on is models,
  // for hours, for a cluster that will not come up.
  const prepared = await allUnlessOneFails(
    plans.map((plan) => () => prepareOne(spec, run, plan, locks, commit, progress)),
    (running) =>
      running.every((at) => {
        const name = plans[at]?.node.name ?? '';
        return progress.isRight(name, 'verify torch arch') || progress.isWaiting(name);
      }),
  );
  samePathEverywhere(prepared);
  return prepared;
}

async function prepareOne(
  spec: ClusterSpec,
  run: RunRef,
  plan: NodePlan,
  locks: ReadonlyMap<string, KnownLock>,
  commit: string | null,
  progress: Progress,
): Promise<PreparedNode> {
  const lock = plan.environment.kind === 'built' ? (locks.get(plan.environment.hash) ?? null) : null;
  const sha256 = lock?.sha256 ?? null;
  const needs = needsOf(plan, sha256, commit);
  const base = {
    node: plan.node,
    hardware: plan.hardware,
    place: pure(() => placeOf(spec, plan, sha256)),
    variables: plan.variables,
  };
  if (!needs.environment && !needs.proof && !needs.model && plan.model.path !== null) {
    for (const step of ['provision venv', 'install wheels', 'verify torch arch', 'stage model'] as const) {
      progress.alreadyRight(plan.node.name, step);
    }
    return { ...base, modelPath: plan.model.path };
  }
  // What waits is this run and not its child, which a person would have to find first; another one adopts what is done.
  const prepareIt = async () => {
    const child = await startChild<typeof prepareNode>('prepareNode', {
      workflowId: prepareWorkflowId(workflowInfo().runId, plan.node.id),
      args: [{ spec, run, plan, lock, needs, commit }],
      parentClosePolicy: 'REQUEST_CANCEL',
      staticSummary: `${plan.node.name} · prepare`,
    });
    return child.result();
  };
  const { modelPath } = await progress.mended(plan.node.name, prepareIt, (note) => {
    progress.showWaiting(plan.node.name, note !== null);
  });
  return { ...base, modelPath };
}

/** The head gives one model path to all ranks, so the model must lie at the same place on every node. */
function samePathEverywhere(prepared: readonly PreparedNode[]): void {
  const [first] = prepared;
  const other = prepared.find((each) => each.modelPath !== first?.modelPath);
  if (first && other) {
    throw workflowFailure('MODEL_INCOMPLETE', {
      path: other.modelPath,
      difference: `on ${first.node.name} the model lies at ${first.modelPath}; use the same user name on all nodes, or model.path`,
    });
  }
}
