/** The node worker: polls this machine's two queues and runs activities; holds no workflow code. Argument: settings file. */
import { readFile } from 'node:fs/promises';
import { Worker } from '@temporalio/worker';
import { nodeContext } from '../activities/context.ts';
import { createActActivities, createProbeActivities } from '../activities/index.ts';
import { actQueue, probeQueue } from '../src/cluster/names.ts';
import { inheritedEnvironment } from '../src/config/inherited.ts';
import { connectWorker } from './connect.ts';
import { namespaceIsThere } from './namespace.ts';
import { runWorker } from './run-worker.ts';
import { installRuntime } from './runtime.ts';
import { NodeWorkerSettings, readSettings } from './settings.ts';
import { failLeftTasks, noteTokens } from './task-tokens.ts';

const [settingsPath] = process.argv.slice(2);
if (settingsPath === undefined) throw new Error('usage: node-worker.js SETTINGS');
const settings = await readSettings(settingsPath, NodeWorkerSettings);

installRuntime();

const { tls } = settings;
const connection = await connectWorker({
  address: settings.address,
  ...(tls && {
    tls: {
      serverRootCACertificate: await readFile(tls.ca),
      clientCertPair: { crt: await readFile(tls.certificate), key: await readFile(tls.key) },
      serverNameOverride: tls.serverName,
    },
  }),
});

const context = nodeContext({
  id: settings.id,
  root: settings.root,
  scriptPath: process.argv[1] ?? '',
  inherited: inheritedEnvironment(),
});
await namespaceIsThere(connection, settings.namespace);
await failLeftTasks(context.layout.tokens, connection, settings.namespace);

const common = {
  connection,
  namespace: settings.namespace,
  identity: `windlass-node@${settings.id}/${process.pid}`,
  interceptors: { activity: [noteTokens(context.layout.tokens)] },
  // The live table shows bytes; the default would send them every 12 s.
  maxHeartbeatThrottleInterval: '2 seconds' as const,
  shutdownGraceTime: '5 seconds' as const,
};
const [acts, probes] = await Promise.all([
  Worker.create({
    ...common,
    taskQueue: actQueue(settings.id),
    activities: createActActivities(context),
    // The model is staged while the environment is made; all else is one at a time by the workflow's own order.
    maxConcurrentActivityTaskExecutions: 2,
  }),
  Worker.create({
    ...common,
    taskQueue: probeQueue(settings.id),
    activities: createProbeActivities(context),
    maxConcurrentActivityTaskExecutions: 8,
  }),
]);
await Promise.all([runWorker(acts), runWorker(probes)]);
await connection.close();
