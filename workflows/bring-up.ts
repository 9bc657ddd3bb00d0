/** Bring a cluster up, or back to what its spec says. This file is the list of steps and holds nothing else. */
import { CancellationScope, isCancellation, setHandler, workflowInfo } from '@temporalio/workflow';
import { phaseSeconds } from '../src/cluster/board.ts';
import { servedName } from '../src/cluster/models.ts';
import type { Found } from '../src/cluster/found.ts';
import { findGang, nothingFound } from '../src/cluster/found.ts';
import { apiAddress, members, wantedGang } from '../src/cluster/gang.ts';
import { clusterWorkflowId } from '../src/cluster/names.ts';
import type { BringUpReport } from '../src/cluster/report.ts';
import type { ClusterSpec } from '../src/config/schema.ts';
import { asError } from '../src/errors.ts';
import { cancellableBySignal } from './cancel.ts';
import { handOver } from './hand-over.ts';
import { isGangFailure, oneOf, personProblems, pure, wayOf } from './failures.ts';
import { specQuery } from './messages.ts';
import { Progress } from './progress.ts';
import { readSpec, runRef } from './spec.ts';
import { check } from './steps/check.ts';
import type { Gang } from './steps/gang.ts';
import { startGang, stopGang } from './steps/gang.ts';
import { handToKeeper } from './steps/hand-to-keeper.ts';
import { observe } from './steps/observe.ts';
import { prepare } from './steps/prepare.ts';
import { smokeTest } from './steps/smoke-test.ts';

/** A gang that ends the same way this often will not do better the next time. */
const equalFailures = 3;

/** Takes one cluster spec, as `windlass render` prints it. */
export async function bringUpCluster(input: unknown): Promise<BringUpReport> {
  const spec = readSpec(input);
  if (workflowInfo().workflowId !== clusterWorkflowId(spec.name)) return handOver(spec);
  return cancellableBySignal(
    () => bringUp(spec),
    'End this run as Temporal’s own cancel does: a gang that it has started is stopped, what it found serving goes on. No input.',
  );
}

async function bringUp(spec: ClusterSpec): Promise<BringUpReport> {
  setHandler(specQuery, () => spec, { description: 'The cluster spec of this run.' });
  const progress = new Progress(spec.name, { canWait: true });

  const { observed, run, warnings } = await check(
    spec,
    runRef(spec),
    await observe(spec, progress),
    progress,
  );
  const prepared = await prepare(spec, run, observed, progress);
  const gang = { ...pure(() => wantedGang(spec, prepared)), run };
  const { answer, ranks } = await serve(gang, findGang(gang, observed), progress);
  const keeper = await handToKeeper(gang);

  return {
    cluster: spec.name,
    run: workflowInfo().runId,
    changes: progress.changes,
    keeper,
    api: { ...apiAddress(spec), servedName: servedName(spec), open: !spec.secrets.includes('apiKey') },
    answer: {
      prompt: answer.prompt,
      text: answer.answer,
      tokens: answer.tokens,
      answerMs: answer.answerMs,
      firstTokenMs: answer.firstTokenMs,
      at: answer.at,
    },
    nodes: prepared.map((each) => ({
      name: each.node.name,
      address: each.node.address,
      hardware: each.hardware,
      ranks: ranks[members(gang).findIndex((member) => member.prepared === each)] ?? 0,
    })),
    phases: phaseSeconds(progress.board.rows),
    warnings,
  };
}

/**
 * From Ray on the gang is one: whatever fails, all ranks are stopped, proven gone, and started again together. A run
 * that is cancelled leaves no half of one: what it has started is stopped, and what it found serving goes on.
 */
async function serve(gang: Gang, foundFirst: Found, progress: Progress) {
  let found = foundFirst;
  const everyone = members(gang);
  const failures = new Map<string, number>();
  if (found.leftovers.length > 0) await stopGang(gang, found.leftovers, found.ray, progress);
  for (let start = 1; ; start += 1) {
    try {
      await startGang(gang, found, `${gang.run.fence.run}/${start}`, progress);
      return await smokeTest(gang, found, start, progress);
    } catch (error) {
      const isCancelled = isCancellation(error);
      if (isCancelled && found.ray && found.engine) throw error;
      await CancellationScope.nonCancellable(() => stopGang(gang, everyone, false, progress)).catch(
        (stopError: unknown) => {
          // A port that a stranger holds was never ours to free: a cancelled run is over without it. What is left on a
          // node from which nobody hears is ours.
          const problems = personProblems(stopError);
          const isOver = problems?.every(({ code }) => code !== 'NODE_WORKER_SILENT') === true;
          if (isCancelled && isOver) return;
          throw isCancelled || isCancellation(stopError)
            ? stopError
            : oneOf([asError(error), asError(stopError)]);
        },
      );
      const way = wayOf(error);
      failures.set(way, (failures.get(way) ?? 0) + 1);
      if (isCancelled || !isGangFailure(error) || failures.get(way) === equalFailures) throw error;
      found = nothingFound;
    }
  }
}
