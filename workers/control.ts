/** The control worker: runs workflows, and asks the service about runs; never touches a node. Argument: settings file. */
import { dirname } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { controlQueue } from '../src/cluster/names.ts';
import { connectWorker } from './connect.ts';
import { createControlActivities } from './control-activities.ts';
import { ensureNamespace } from './namespace.ts';
import { ControlWorkerSettings, readSettings } from './settings.ts';

const [settingsPath] = process.argv.slice(2);
if (settingsPath === undefined) throw new Error('usage: control-worker.js SETTINGS');
const settings = await readSettings(settingsPath, ControlWorkerSettings);

Runtime.install({
  logger: new DefaultLogger('WARN'),
  telemetryOptions: { logging: { filter: 'ERROR,temporalio_client::retry=off', forward: {} } },
});

const connection = await connectWorker({ address: settings.address });
const client = new Client({
  connection: await Connection.connect({
    address: settings.address,
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 500, 'grpc.max_reconnect_backoff_ms': 2_000 },
  }),
  namespace: settings.namespace,
});
await ensureNamespace(client.connection, settings.namespace);

const worker = await Worker.create({
  connection,
  namespace: settings.namespace,
  taskQueue: controlQueue,
  identity: `windlass-control@${process.pid}`,
  workflowBundle: { codePath: `${dirname(process.argv[1] ?? '')}/workflow-bundle.cjs` },
  activities: createControlActivities(client),
  // After the death of a control worker its sticky queue would hold each run for 10 s; measured 3.5 s with this.
  stickyQueueScheduleToStartTimeout: '2 seconds',
  shutdownGraceTime: '5 seconds',
});
// A store that was lost has taken the namespace with it, and nobody else would make it again.
const watch = setInterval(() => {
  ensureNamespace(client.connection, settings.namespace).catch(() => undefined);
}, 5_000);
await worker.run();
clearInterval(watch);
await connection.close();
