/** What `status` reads of a run is of one run, whatever begins under the same id meanwhile. */
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { Client } from '@temporalio/client';
import { readLastRun } from '../../src/temporal/last-run.ts';
import { ScriptedCluster, seedSpec } from '../support/nodes.ts';
import { Service } from './service.ts';

jest.setTimeout(60_000);

let service: Service;

beforeAll(async () => {
  service = await Service.open();
});

afterAll(async () => {
  await service.stop();
});

it('an ended run is read as it was described, although a tear-down began just after', async () => {
  const cluster = new ScriptedCluster(seedSpec('looked-at'));
  await service.serve(cluster);
  const report = await (await service.start('bringUpCluster', cluster.spec)).result();

  const begun = jest.fn(() => service.start('tearDownCluster', cluster.spec));
  const meanwhile: WorkflowClientInterceptor = {
    async describe(input, next) {
      const described = await next(input);
      await begun();
      return described;
    },
  };
  const { connection, options } = service.client;
  const looking = new Client({
    connection,
    namespace: options.namespace,
    interceptors: { workflow: [meanwhile] },
  });
  const run = await readLastRun(looking, cluster.spec.name);

  expect(begun).toHaveBeenCalledTimes(1);
  expect(run).toMatchObject({ type: 'bringUpCluster', status: 'COMPLETED', report });
});
