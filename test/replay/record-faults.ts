/**
 * Records histories of the outcomes that only faults bring, from scripted nodes, by hand and once per release:
 * `node --import tsx test/replay/record-faults.ts`, with names of outcomes to store only those. What is stored is never
 * edited afterwards.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { version } from '../../src/version.ts';
import makeBundle from '../support/bundle.ts';
import { ScriptedCluster, seedSpec } from '../support/nodes.ts';
import { startTemporal } from '../support/temporal.ts';
import { demandAnonymous, withoutStacks } from './anonymous.ts';
import type { Handle } from '../workflow/service.ts';
import { boardOf, childrenOf, Service, until } from '../workflow/service.ts';
import { listener } from '../unit/checks/cluster.ts';

const wanted = process.argv.slice(2);
const folder = join(import.meta.dirname, 'histories', version);

async function record(service: Service, outcome: string, workflowId: string): Promise<void> {
  if (wanted.length > 0 && !wanted.includes(outcome)) return;
  const history = await service.client.workflow.getHandle(workflowId).fetchHistory();
  const json = withoutStacks(historyToJSON(history));
  demandAnonymous(outcome, json);
  await writeFile(join(folder, `${outcome}.json`), `${JSON.stringify(JSON.parse(json))}\n`);
  console.log(`recorded ${outcome}: ${history.events?.length ?? 0} events, ${json.length} bytes`);
}

async function serving(service: Service, name: string): Promise<ScriptedCluster> {
  const cluster = new ScriptedCluster(seedSpec(name));
  await service.serve(cluster);
  return cluster;
}

async function recordAll(service: Service): Promise<void> {
  const lost = await serving(service, 'restarted');
  const ready = lost.faults.hold({ activity: 'confirmReady' });
  const restarted = await service.start('bringUpCluster', lost.spec);
  await ready.reached;
  lost.node('thorx').units.clear();
  await restarted.result();
  await record(service, 'gang-restarted', restarted.workflowId);

  const wrong = await serving(service, 'mismatched');
  const data = {
    library: 'torch',
    capability: '11.0',
    archList: 'sm_120',
    class: 'thor',
    evidence: 'no kernel',
  };
  for (const node of ['jetson-thor', 'thorx']) {
    wrong.faults.fail({ activity: 'verifyTorchArch', node }, 'ARCH_MISMATCH', 1, data);
  }
  const mismatched = await service.start('bringUpCluster', wrong.spec);
  await mismatched.result().catch(() => undefined);
  await record(service, 'two-nodes-failed', mismatched.workflowId);
  const failed = (await childrenOf(mismatched)).find((id) => id.endsWith(wrong.node('thorx').spec.id));
  await record(service, 'node-failed', failed ?? '');

  const unfit = await serving(service, 'unfit');
  const download = unfit.faults.hold({ activity: 'stageModel', node: 'spark-4080' });
  unfit.faults.fail({ activity: 'verifyTorchArch', node: 'thorx' }, 'ARCH_MISMATCH', 1, data);
  const ended = await service.start('bringUpCluster', unfit.spec);
  await download.cancelled;
  await ended.result().catch(() => undefined);
  await record(service, 'downloads-ended', ended.workflowId);

  const stopped = await serving(service, 'cancelled');
  const install = stopped.faults.hold({ activity: 'installWheels' });
  const cancelled = await service.start('bringUpCluster', stopped.spec);
  await install.reached;
  await cancelled.cancel();
  await cancelled.result().catch(() => undefined);
  await record(service, 'cancelled', cancelled.workflowId);

  await recordWaits(service);
}

async function waited(handle: Handle, what: RegExp): Promise<void> {
  await until(`it waits for ${what.source}`, async () =>
    what.test((await boardOf(handle)).waitingFor?.what ?? ''),
  );
}

/** A run that a person helps at a check, at a disk and at a port, and one that is told to end where it waits. */
async function recordWaits(service: Service): Promise<void> {
  const full = { path: '/models', free: '12 MB' };
  const stranger = { port: 6380, by: 'redis-server (pid 812)' };
  const helped = await serving(service, 'helped');
  helped.head.facts = { ...helped.head.facts, listeners: [listener({ port: 6379 })] };
  helped.faults.fail({ activity: 'stageModel', node: 'thorx' }, 'DISK_FULL', 1, full);
  helped.faults.fail({ activity: 'ensureRay', node: 'thorx' }, 'PORT_TAKEN', 1, stranger);
  const went = await service.start('bringUpCluster', helped.spec);
  await waited(went, /check port-free/);
  helped.head.facts = { ...helped.head.facts, listeners: [] };
  await went.signal('retryNode', { node: helped.head.spec.name });
  await waited(went, /no space left/);
  await went.signal('retryNode', {});
  await waited(went, /TCP 6380/);
  await went.signal('approve', {});
  await went.signal('retryNode', { node: 'thorx' });
  await went.result();
  await record(service, 'waited', went.workflowId);

  const given = await serving(service, 'given-up');
  given.faults.fail({ activity: 'ensureRay', node: 'thorx' }, 'PORT_TAKEN', 1, stranger);
  const ended = await service.start('bringUpCluster', given.spec);
  await waited(ended, /TCP 6380/);
  await ended.signal('cancel');
  await ended.result().catch(() => undefined);
  await record(service, 'waited-cancelled', ended.workflowId);
}

await mkdir(folder, { recursive: true });
const [server] = await Promise.all([startTemporal(), makeBundle()]);
const service = await Service.open({ address: server.address });
try {
  await recordAll(service);
} finally {
  await service.stop();
  await server.stop();
}
