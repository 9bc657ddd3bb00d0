/**
 * After an upgrade: who goes on with the runs that are under way. Each is replayed on the bundle that is placed now, and
 * goes on with it if that works; else it is kept by the newest older bundle on which it does.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { isGrpcServiceError } from '@temporalio/client';
import type { Logger } from '@temporalio/worker';
import { isUnreachable } from '../src/temporal/grpc-code.ts';
import { keepRun } from '../src/temporal/kept.ts';
import type { Bundle } from './kept-bundles.ts';
import { keptBundles } from './kept-bundles.ts';
import type { OpenRun } from './open-runs.ts';
import { openRuns, unreplayable } from './open-runs.ts';

/** A worker that takes the tasks of the runs which a version keeps. */
export interface KeptWorker {
  /** End it, and wait for that. */
  stop(): Promise<void>;
}

export interface SettleOptions {
  readonly own: Bundle;
  readonly startKept: (bundle: Bundle) => Promise<KeptWorker>;
  readonly logger: Pick<Logger, 'warn'>;
}

const againAfterMs = 1_000;
/** A part of the service may be broken for good. */
const longestMs = 10 * 60_000;

/**
 * To be called before the own worker polls, or a run would meet it first. A service that is away is waited for, within
 * reason: nobody would look at the runs later. What else fails here is logged, and never keeps that worker from its
 * start: without it nothing would go on at all.
 */
export async function settleOpenRuns(client: Client, options: SettleOptions): Promise<void> {
  const { own, logger } = options;
  const once = { own, logger, startKept: onceEach(options.startKept) };
  for (const begin = performance.now(); ;) {
    try {
      await settle(client, once);
      return;
    } catch (error) {
      logger.warn('the runs that are under way were not all looked at', { error: String(error) });
      if (!isUnreachable(error) || performance.now() - begin > longestMs) return;
      await sleep(againAfterMs);
    }
  }
}

/** A worker that runs from the look before is not started beside itself. */
function onceEach(startKept: SettleOptions['startKept']): SettleOptions['startKept'] {
  const running = new Map<string, KeptWorker>();
  return async (bundle) => {
    const known = running.get(bundle.version);
    if (known) return known;
    const started = await startKept(bundle);
    const worker: KeptWorker = {
      stop: async () => {
        running.delete(bundle.version);
        await started.stop();
      },
    };
    running.set(bundle.version, worker);
    return worker;
  };
}

/** The words of an error; one of a service that is away is thrown on. */
function reasonOf(error: unknown): string {
  if (isUnreachable(error)) throw error;
  return String(error);
}

async function settle(client: Client, options: SettleOptions): Promise<void> {
  const { own } = options;
  const runs = (await openRuns(client)).filter((run) => !isProven(run, own));
  if (runs.length === 0) return;
  const failed = await unreplayable(client, own.codePath, runs);
  for (const run of runs) if (run.keptBy !== null && !failed.has(run)) await holdTo(client, run, null);
  if (failed.size > 0) await keepAll(client, failed, options);
}

/** Whoever went on with a run last has replayed it: a restart, which is no upgrade, has nothing to replay. */
const isProven = ({ keptBy, lastBy }: OpenRun, own: Bundle): boolean =>
  keptBy === null && lastBy === own.version;

async function keepAll(
  client: Client,
  failed: ReadonlyMap<OpenRun, Error>,
  { own, startKept, logger }: SettleOptions,
): Promise<void> {
  const { kept, left } = await keepers(client, own, [...failed.keys()]);
  for (const [bundle, runs] of kept) {
    const refused = await keepBy(client, bundle, runs, startKept).catch(reasonOf);
    if (refused === null) {
      logger.warn(`windlass ${own.version} cannot replay these runs; they go on with ${bundle.version}`, {
        runs: runs.map(({ workflowId }) => workflowId),
      });
    } else {
      logger.warn(`windlass ${bundle.version} cannot be kept beside this one`, { reason: refused });
      left.push(...runs);
    }
  }
  for (const run of left) {
    // Held to a version that nobody serves it would wait in silence. Here its failure shows.
    if (run.keptBy !== null) await holdTo(client, run, null);
    const reason = failed.get(run)?.message;
    logger.warn(`windlass ${own.version} cannot replay ${run.workflowId}, and no version kept here goes on`, {
      reason,
    });
  }
}

/** An older one than these would have been upgraded from long ago. */
const mostBundles = 20;

/** Which bundle goes on with which of these runs: the one that does already, else the newest that can. */
async function keepers(
  client: Client,
  own: Bundle,
  runs: readonly OpenRun[],
): Promise<{ kept: Map<Bundle, OpenRun[]>; left: OpenRun[] }> {
  const kept = new Map<Bundle, OpenRun[]>();
  let left = [...runs];
  const isInUse = ({ version }: Bundle): boolean => runs.some((run) => run.keptBy === version);
  const bundles = (await keptBundles(own)).toSorted(
    (one, other) => Number(isInUse(other)) - Number(isInUse(one)),
  );
  for (const bundle of bundles.slice(0, mostBundles)) {
    if (left.length === 0) break;
    // One that cannot be loaded goes on with nothing.
    const failed = await unreplayable(client, bundle.codePath, left).catch((error: unknown) => {
      const reason = new Error(reasonOf(error));
      return new Map(left.map((run) => [run, reason]));
    });
    const replayed = left.filter((run) => !failed.has(run));
    if (replayed.length > 0) kept.set(bundle, replayed);
    left = [...failed.keys()];
  }
  return { kept, left };
}

/** Start the worker of a bundle and hold runs to it. Returns null, or why the service will not have it. */
async function keepBy(
  client: Client,
  bundle: Bundle,
  runs: readonly OpenRun[],
  startKept: SettleOptions['startKept'],
): Promise<string | null> {
  const unknown = await deploymentsRefused(client);
  if (unknown !== null) return unknown;
  const worker = await startKept(bundle);
  try {
    for (const run of runs) await onceVersionIsKnown(() => holdTo(client, run, bundle.version));
    return null;
  } catch (error) {
    await worker.stop();
    // Those that were held to it before the service refused another.
    for (const run of runs) await holdTo(client, run, null);
    return reasonOf(error);
  }
}

/** gRPC status codes. Precondition: here, no worker of this version has polled yet. */
const notFound: number = 5;
const failedPrecondition: number = 9;
const codeOf = (error: unknown): number | null => (isGrpcServiceError(error) ? error.code : null);

/** A run that has ended since it was listed needs nobody. */
async function holdTo(client: Client, run: OpenRun, version: string | null): Promise<void> {
  await keepRun(client, run, version).catch((error: unknown) => {
    if (codeOf(error) !== notFound) throw error;
  });
}

/** Why the service knows no versions of workers; null where it does. It is too old, or was told not to. */
async function deploymentsRefused(client: Client): Promise<string | null> {
  const { namespace } = client.options;
  return client.workflowService.listWorkerDeployments({ namespace, pageSize: 1 }).then(() => null, reasonOf);
}

/** The service notes the first poll of a version after one to two seconds (measured). */
const versionLimitMs = 15_000;

async function onceVersionIsKnown(call: () => Promise<void>): Promise<void> {
  const end = Date.now() + versionLimitMs;
  for (;;) {
    try {
      await call();
      return;
    } catch (error) {
      if (codeOf(error) !== failedPrecondition || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
