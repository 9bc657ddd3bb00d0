import { expect, test } from '@jest/globals';
import { servedName } from '../../../src/cluster/models.ts';
import { specWith } from '../checks/cluster.ts';

test.each([
  ['the id of a model of the hub', { model: { id: 'owner/name' } }, 'owner/name'],
  ['the last folder of a path', { model: { path: '/models/qwen' } }, 'qwen'],
  ['also where a slash ends the path', { model: { path: '/models/qwen//' } }, 'qwen'],
  ['what the file says', { model: { path: '/m' }, serving: { servedName: 'mine' } }, 'mine'],
])('the API lists %s', (_what, changes, name) => {
  expect(servedName(specWith(changes))).toBe(name);
});
