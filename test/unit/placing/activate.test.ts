/** Units are started with what was placed. The real script runs here; systemctl and loginctl only note how they are called. */
import { chmod, mkdir, mkdtemp, readlink, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { readScript } from '../../../src/placing/script-files.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-activate-'));
  for (const name of ['workers', 'bin', '.config/systemd/user'])
    await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, 'workers/activating'), '2');
  await standIn('loginctl', 'echo yes');
  await standIn('systemctl', '');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function standIn(name: string, lines: string): Promise<void> {
  const file = join(folder, 'bin', name);
  await writeFile(file, `#!/bin/sh\n${lines}\n`);
  await chmod(file, 0o755);
}

async function activate(isLast: 'yes' | 'no', unit: string): Promise<number | undefined> {
  const { exitCode } = await execa('sh', ['-s', '--', folder, '2', isLast, unit], {
    input: await readScript('activate'),
    env: { HOME: folder, PATH: `${folder}/bin:/usr/bin:/bin` },
    extendEnv: false,
    reject: false,
  });
  return exitCode;
}

/** A placing that was cut off is taken up for as long as this mark stands. */
const isMarked = async () => (await readdir(join(folder, 'workers'))).includes('activating');

test('the mark of a placing under way goes with the last units of the node, not before', async () => {
  expect(await activate('no', 'windlass-control.service')).toBe(0);
  expect(await readlink(join(folder, 'workers/current'))).toBe('2');
  expect(await isMarked()).toBe(true);
  expect(await activate('yes', 'windlass-node.service')).toBe(0);
  expect(await isMarked()).toBe(false);
});

test('and stays where a unit is not active after its start', async () => {
  await standIn('systemctl', 'case $* in *is-active*) exit 3 ;; esac');
  expect(await activate('yes', 'windlass-node.service')).toBe(3);
  expect(await isMarked()).toBe(true);
});
