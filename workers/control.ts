/** The control worker: runs workflows, and asks the service about runs; never touches a node. Argument: settings file. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { Runtime, Worker } from '@temporalio/worker';
import { controlQueue } from '../src/cluster/names.ts';
import { keptDeployment } from '../src/temporal/kept.ts';
import { connectWorker } from './connect.ts';
import { createControlActivities } from './control-activities.ts';
import type { Bundle } from './kept-bundles.ts';
import { bundleBeside } from './kept-bundles.ts';
import { identityOf } from './identity.ts';
import { ensureNamespace } from './namespace.ts';
import { runWorker } from './run-worker.ts';
import { installRuntime } from './runtime.ts';
import { ControlWorkerSettings, readSettings } from './settings.ts';
import type { KeptWorker } from './settle-runs.ts';
import { settleOpenRuns } from './settle-runs.ts';

const [settingsPath] = process.argv.slice(2);
if (settingsPath === undefined) throw new Error('usage: control-worker.js SETTINGS');
const settings = await readSettings(settingsPath, ControlWorkerSettings);

installRuntime();

const connection = await connectWorker({ address: settings.address });
const client = new Client({
  connection: await Connection.connect({
    address: settings.address,
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 500, 'grpc.max_reconnect_backoff_ms': 2_000 },
  }),
  namespace: settings.namespace,
});
const isNew = await ensureNamespace(client.connection, settings.namespace);

const own = await bundleBeside(process.argv[1] ?? '');
const common = {
  connection,
  namespace: settings.namespace,
  taskQueue: controlQueue,
  activities: createControlActivities(client),
  // How long the service may hold a run for a control worker that has died; the default is 10 s.
  stickyQueueScheduleToStartTimeout: '1 second',
  shutdownGraceTime: '5 seconds',
} as const;

/** Workers of older versions poll until this process ends: what they keep may start others that are kept too. */
const kept: Promise<void>[] = [];
if (!isNew) {
  await settleOpenRuns(client, { own, startKept, logger: Runtime.instance().logger });
}
const worker = await Worker.create({
  ...common,
  identity: identityOf(own.version),
  workflowBundle: { codePath: own.codePath },
});
// A store that was lost has taken the namespace with it, and nobody else would make it again.
const over = new AbortController();
const watching = keepNamespace(over.signal);
await runWorker(worker);
over.abort();
await watching;
await Promise.all(kept);
await connection.close();

/** One look after the other: each lasts for as long as the service is away. */
async function keepNamespace(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await ensureNamespace(client.connection, settings.namespace, signal).catch(() => undefined);
    await sleep(5_000, undefined, { signal }).catch(() => undefined);
  }
}

async function startKept({ version, codePath }: Bundle): Promise<KeptWorker> {
  const older = await Worker.create({
    ...common,
    identity: identityOf(version),
    workflowBundle: { codePath },
    workerDeploymentOptions: {
      useWorkerVersioning: true,
      version: { deploymentName: keptDeployment, buildId: version },
      // A run that was pinned by its worker would never leave it. Each is held by an override, which can be taken away.
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  });
  const ended = runWorker(older).catch((error: unknown) => {
    Runtime.instance().logger.error(`the worker of windlass ${version} has ended`, { error: String(error) });
  });
  kept.push(ended);
  return {
    stop: async () => {
      if (older.getState() === 'RUNNING') older.shutdown();
      await ended;
    },
  };
}
