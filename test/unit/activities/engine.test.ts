import { expect, test } from '@jest/globals';
import { launchServer } from '../../../activities/engine.ts';
import { wantedEngine } from '../../../src/cluster/gang.ts';
import { spec } from '../checks/cluster.ts';
import { base, inActivity, machine } from './in-activity.ts';

test.each([
  ['another address than the policy was asked for', ['--port', '22'], /--port/],
  ['code from elsewhere', ['--json-model-override-args', '{}', '--model-path=/tmp/x'], /--model-path/],
])('an engine is not started with %s', async (_what, extraArguments, message) => {
  const [node] = spec.nodes;
  if (!node) throw new Error('the spec has no nodes');
  const prepared = {
    node,
    hardware: 'spark',
    place: { environment: '0123456789abcdef' },
    variables: {},
    modelPath: '/m',
  } as const;
  const engine = { ...wantedEngine(spec, prepared), extraArguments };
  const launch = launchServer(machine('/nowhere'));
  await expect(
    inActivity(() => launch({ ...base('/nowhere'), engine, generation: 'one', ray: 'ray' })),
  ).rejects.toMatchObject({ type: 'SPEC_INVALID', message: expect.stringMatching(message) });
});
