/**
 * Records histories of the outcomes that only faults bring, from scripted nodes, by hand and once per release:
 * `node --import tsx test/replay/record-faults.ts`. What is stored is never edited afterwards.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { version } from '../../src/version.ts';
import makeBundle from '../support/bundle.ts';
import { ScriptedCluster, seedSpec } from '../support/nodes.ts';
import { startTemporal } from '../support/temporal.ts';
import { demandAnonymous, withoutStacks } from './anonymous.ts';
import { childrenOf, Service } from '../workflow/service.ts';

const folder = join(import.meta.dirname, 'histories', version);

async function record(service: Service, outcome: string, workflowId: string): Promise<void> {
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
