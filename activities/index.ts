/** All activities of a node worker: a closed set. Names are part of the protocol; never rename one without an alias. */
import type { NodeContext } from './context.ts';
import { confirmReady, launchServer, watchGangUnit } from './engine.ts';
import { readLock, resolveLock } from './lock.ts';
import { resolveModel, stageModel } from './model.ts';
import { observeNode } from './observe.ts';
import { verifyTorchArch } from './proof.ts';
import { confirmRanks } from './ranks.ts';
import { confirmRayNodes, ensureRay } from './ray.ts';
import { provisionVenv } from './venv.ts';
import { watchRank } from './watch-rank.ts';
import { watchServer } from './watch-server.ts';
import { installWheels } from './wheels.ts';
import { smokeTest } from './smoke.ts';
import { stopGangUnits } from './stop.ts';

/** Activities that change the node or wait for a change: on the node's own queue, never more than two at a time. */
export function createActActivities(context: NodeContext) {
  return {
    resolveLock: resolveLock(context),
    provisionVenv: provisionVenv(context),
    installWheels: installWheels(context),
    verifyTorchArch: verifyTorchArch(context),
    resolveModel: resolveModel(context),
    stageModel: stageModel(context),
    ensureRay: ensureRay(context),
    confirmRayNodes: confirmRayNodes(context),
    launchServer: launchServer(context),
    confirmReady: confirmReady(context),
    smokeTest: smokeTest(context),
  };
}

/** Activities that look or stop: on the probe queue, so that they never wait behind an install. */
export function createProbeActivities(context: NodeContext) {
  return {
    observeNode: observeNode(context),
    readLock: readLock(context),
    watchGangUnit: watchGangUnit(context),
    confirmRanks: confirmRanks(context),
    watchRank: watchRank(context),
    watchServer: watchServer(context),
    stopGangUnits: stopGangUnits(context),
  };
}

export type ActActivities = ReturnType<typeof createActActivities>;
export type ProbeActivities = ReturnType<typeof createProbeActivities>;
