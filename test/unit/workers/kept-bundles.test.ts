/** Which workflow bundles of earlier versions can be tried, and in which order. */
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { bundleBeside, keptBundles } from '../../../workers/kept-bundles.ts';

let payloads: string;

beforeEach(async () => {
  payloads = await mkdtemp(join(tmpdir(), 'windlass-payloads-'));
});

afterEach(async () => {
  await rm(payloads, { recursive: true });
});

/** `placedAt` counts seconds. */
async function place(version: string, bundle: string | null, placedAt = 0): Promise<void> {
  const folder = join(payloads, version);
  await mkdir(folder);
  if (bundle === null) return;
  await writeFile(join(folder, 'workflow-bundle.cjs'), bundle);
  await utimes(join(folder, 'workflow-bundle.cjs'), placedAt, placedAt);
}

const own = async () => {
  await symlink('0.3.0-own', join(payloads, 'current'));
  return bundleBeside(join(payloads, 'current/control-worker.js'));
};
const kept = async () => (await keptBundles(await own())).map(({ version }) => version);

it('the own one is that of the version in use', async () => {
  await place('0.3.0-own', 'own');
  expect(await own()).toEqual({
    version: '0.3.0-own',
    codePath: join(payloads, '0.3.0-own/workflow-bundle.cjs'),
  });
});

it('the one placed last comes first, whatever its version is called', async () => {
  await place('0.3.0-own', 'own', 9);
  await place('0.1.0-fff', 'first', 1);
  await place('0.2.0-aaa', 'third', 3);
  await place('0.1.0-bbb', 'second', 2);
  expect(await kept()).toEqual(['0.2.0-aaa', '0.1.0-bbb', '0.1.0-fff']);
});

it('equal ones are tried once, and none that equals the own one', async () => {
  await place('0.3.0-own', 'own', 9);
  await place('0.2.0-aaa', 'own', 3);
  await place('0.1.0-bbb', 'same', 2);
  await place('0.1.0-ccc', 'same', 1);
  expect(await kept()).toEqual(['0.1.0-bbb']);
});

it('a payload without workflows, or one that has not arrived whole, is passed over', async () => {
  await place('0.3.0-own', 'own', 9);
  await place('0.2.0-node', null);
  await writeFile(join(payloads, 'left-over'), '');
  expect(await kept()).toEqual([]);
});
