/** The preparation of one node that needs work: environment and proof in one line, the model beside it. */
import {
  CancellationScope,
  getExternalWorkflowHandle,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import type { RunRef } from '../src/cluster/inputs.ts';
import type { Needs, NodePlan } from '../src/cluster/plan.ts';
import { environmentHashOf, placeOf } from '../src/cluster/plan.ts';
import { proofKey } from '../src/cluster/environments.ts';
import type { ClusterSpec } from '../src/config/schema.ts';
import { acts } from './activities.ts';
import { allOf, pure } from './failures.ts';
import { rowSignal } from './messages.ts';
import { Progress } from './progress.ts';
import type { KnownLock } from './steps/locks.ts';
import { modelInput, mutable } from './steps/locks.ts';

export interface PrepareInput {
  readonly spec: ClusterSpec;
  readonly run: RunRef;
  readonly plan: NodePlan;
  readonly lock: KnownLock | null;
  readonly needs: Needs;
  readonly commit: string | null;
}

/** Prepare one node; started by `bringUpCluster` only. */
export async function prepareNode(input: PrepareInput): Promise<{ modelPath: string }> {
  const { parent } = workflowInfo();
  const reports: Promise<void>[] = [];
  const progress = new Progress(input.spec.name, {
    onRow: (row) => {
      // The parent shows the whole table; a parent that is gone has nobody to show it to.
      if (parent) {
        const handle = getExternalWorkflowHandle(parent.workflowId, parent.runId);
        // How a cancelled step ended is to be shown as well.
        const report = CancellationScope.nonCancellable(() => handle.signal(rowSignal, row));
        reports.push(report.catch(() => undefined));
      }
    },
  });
  const work = bothOf(
    () => environment(input, progress),
    () => model(input, progress),
  );
  // A signal that is not yet answered when this run ends is dropped: the table would show a failed step as running.
  await Promise.allSettled([work]);
  await Promise.all(reports);
  return { modelPath: await work };
}

/**
 * A node that cannot run the model needs none, so a failure of the environment ends the download. A failed download
 * ends nothing: both problems are told.
 */
async function bothOf(proven: () => Promise<void>, staged: () => Promise<string>): Promise<string> {
  const staging = new CancellationScope();
  const environmentLine = proven().catch((error: unknown) => {
    staging.cancel();
    throw error;
  });
  const modelLine = staging.run(staged);
  const [, ended] = await Promise.allSettled([environmentLine, modelLine]);
  if (ended.status === 'rejected' && isCancellation(ended.reason)) await environmentLine;
  await allOf<unknown>([environmentLine, modelLine]);
  return modelLine;
}

async function environment(input: PrepareInput, progress: Progress): Promise<void> {
  const { spec, run, plan, lock, needs } = input;
  const { node } = plan;
  const base = { run, node: node.id, root: spec.root };
  const hash = environmentHashOf(plan, lock?.sha256 ?? null);
  if (plan.environment.kind === 'built' && hash !== null && lock !== null) {
    const { request, hash: requestHash } = plan.environment;
    if (needs.environment) {
      await progress.step(node.name, 'provision venv', () =>
        acts(node, 'provision venv', `Python ${request.python}`).provisionVenv({
          ...base,
          environment: hash,
          request: mutable(request),
        }),
      );
      await progress.step(node.name, 'install wheels', () =>
        acts(node, 'install wheels', plan.hardware).installWheels({
          ...base,
          environment: hash,
          request: mutable(request),
          requestHash,
          lock: { packages: 0, bytes: 0, ...lock },
        }),
      );
    } else {
      progress.alreadyRight(node.name, 'provision venv');
      progress.alreadyRight(node.name, 'install wheels');
    }
  }
  if (!needs.proof) {
    progress.alreadyRight(node.name, 'verify torch arch');
    return;
  }
  const key = proofKey(plan.environment, hash) ?? '';
  await progress.step(node.name, 'verify torch arch', async () => {
    const proof = await acts(node, 'verify torch arch', plan.hardware).verifyTorchArch({
      ...base,
      place: pure(() => placeOf(spec, plan, lock?.sha256 ?? null)),
      proof: key,
      hardware: plan.hardware,
      variables: { ...plan.variables },
    });
    return { changed: true, what: `${proof.device} (${proof.capability}): ${proof.ran.join(', ')}` };
  });
}

async function model(input: PrepareInput, progress: Progress): Promise<string> {
  const { spec, run, plan, needs, commit } = input;
  if (!needs.model && plan.model.path !== null) {
    progress.alreadyRight(plan.node.name, 'stage model');
    return plan.model.path;
  }
  const { marker } = await progress.step(plan.node.name, 'stage model', () =>
    acts(plan.node, 'stage model').stageModel(modelInput(spec, run, plan, commit)),
  );
  return marker.path;
}
