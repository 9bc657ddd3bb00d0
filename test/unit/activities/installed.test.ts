/** Is what lies in an environment what its lock wants? Names are compared as they stand in the folder. */
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { confirmInstalled, difference, discardHalf, hasEnded } from '../../../activities/installed.ts';
import { machine } from './in-activity.ts';

const hash = 'a'.repeat(16);
const lock = ['torch==2.13.0', 'typing_extensions==4.16.0']
  .map((each) => each.split('=='))
  .map(([name = '', version = '']) => `[[packages]]\nname = "${name}"\nversion = "${version}"\n`)
  .join('\n');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-installed-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** An environment in which these lie, with the interpreter of its own folder's version. */
async function environmentWith(distributions: readonly string[]) {
  const context = machine(folder);
  const path = `${context.layout.environments}/${hash}`;
  const packages = `${path}/lib/python3.12/site-packages`;
  for (const each of distributions) await mkdir(`${packages}/${each}.dist-info`, { recursive: true });
  await mkdir(`${path}/bin`, { recursive: true });
  await writeFile(`${path}/pyvenv.cfg`, 'version_info = 3.12.3\n');
  await writeFile(`${path}/bin/python`, '#!/bin/sh\necho 3.12.3\n', { mode: 0o700 });
  return {
    path,
    isInstalled: await confirmInstalled(context, path, hash, 'request', lock),
    marker: await readFile(`${path}/windlass.json`, 'utf8').catch(() => null),
  };
}

const unit = `windlass-wheels-${hash}`;
/** What the unit that installs leaves behind; none of an end that was cut off. */
async function begun(exitCode: number | null) {
  const runs = join(machine(folder).layout.runs, unit);
  await mkdir(runs, { recursive: true });
  await writeFile(join(runs, 'unit.json'), JSON.stringify({ generation: hash }));
  const result = { exitCode, signal: null, startedAt: 1, endedAt: 2 };
  if (exitCode !== null) await writeFile(join(runs, 'result.json'), JSON.stringify(result));
}
const ended = () => hasEnded(machine(folder), unit, hash, lock);
const half = ['torch-2.13.0', 'typing_extensions-4.16.0'];

test('an installation that was cut off has not ended, whatever lies there, and is begun from nothing', async () => {
  const { path } = await environmentWith([]);
  const packages = `${path}/lib/python3.12/site-packages`;
  for (const each of half) await mkdir(`${packages}/${each}.dist-info`, { recursive: true });
  await writeFile(`${packages}/_virtualenv.py`, '');
  await begun(null);
  expect(await ended()).toBe(false);
  await discardHalf(machine(folder), unit, hash);
  expect(await readdir(packages)).toEqual(['_virtualenv.py']);
});

test('one that ended well has, and so has one that was confirmed for this lock', async () => {
  await begun(0);
  expect(await ended()).toBe(true);
  await rm(machine(folder).layout.runs, { recursive: true });
  await environmentWith(half);
  expect(await ended()).toBe(true);
  expect(await hasEnded(machine(folder), unit, hash, `${lock}\n`)).toBe(false);
});

test('what is installed anew where one ended well keeps its packages, and is not confirmed meanwhile', async () => {
  const { path } = await environmentWith(half);
  await begun(0);
  await discardHalf(machine(folder), unit, hash);
  expect((await readdir(`${path}/lib/python3.12/site-packages`)).length).toBe(2);
  expect(await readdir(path)).not.toContain('windlass.json');
});

test('all of the lock and nothing else is confirmed, and that is written down', async () => {
  const { isInstalled, marker } = await environmentWith(['torch-2.13.0', 'typing_extensions-4.16.0']);
  expect(isInstalled).toBe(true);
  expect(JSON.parse(marker ?? '')).toMatchObject({ hash, packages: 2 });
});

test.each([
  ['a package is missing', ['torch-2.13.0'], 'missing: typing-extensions==4.16.0'],
  ['one has another version', ['torch-2.12.0', 'typing_extensions-4.16.0'], 'missing: torch==2.13.0'],
  [
    'one is there that nobody wanted',
    ['torch-2.13.0', 'typing_extensions-4.16.0', 'pip-25.0'],
    'not in the lock: pip==25.0',
  ],
])('where %s, nothing is confirmed', async (_what, distributions, words) => {
  const { path, isInstalled, marker } = await environmentWith(distributions);
  expect({ isInstalled, marker }).toEqual({ isInstalled: false, marker: null });
  expect(await difference(path, lock)).toContain(words);
});
