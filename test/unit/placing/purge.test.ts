/** `down --purge` removes only what is ours. The real script runs here; systemctl and loginctl only note how they are called. */
import { chmod, chown, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { readScript } from '../../../src/placing/script-files.ts';

let folder: string;
let home: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-purge-'));
  home = join(folder, 'home');
  await mkdir(home);
  await mkdir(join(folder, 'bin'));
  for (const name of ['systemctl', 'loginctl']) await standIn(name);
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A program that only writes down its arguments, and then runs these lines of shell. */
async function standIn(name: string, lines = ''): Promise<void> {
  const file = join(folder, 'bin', name);
  await writeFile(file, `#!/bin/sh\necho "${name} $*" >>"${folder}/called"\n${lines}\n`);
  await chmod(file, 0o755);
}

const called = async (): Promise<string> => readFile(join(folder, 'called'), 'utf8').catch(() => '');

async function purge(root: string) {
  const { exitCode, stdout, stderr } = await execa('sh', ['-s', '--', root], {
    input: await readScript('purge'),
    env: { HOME: home, PATH: `${folder}/bin:/usr/bin:/bin` },
    extendEnv: false,
    reject: false,
  });
  return { exitCode, stdout, stderr };
}

/** A folder as placing leaves it. */
async function makeRoot(path: string): Promise<string> {
  await mkdir(join(path, 'workers'), { recursive: true });
  await writeFile(join(path, 'node.json'), '{"id":"0123456789abcdef","mintedAt":1}\n');
  return path;
}

const leftAlone = (root: string) => ({
  exitCode: 1,
  stdout: '',
  stderr: `${root} is not a folder of windlass; it was left alone, and nothing was stopped`,
});

test('removes its own folder, and empty folders above it', async () => {
  const root = await makeRoot(join(home, '.local/share/windlass'));
  await chmod(join(root, 'workers'), 0o500);
  expect(await purge('~/.local/share/windlass')).toMatchObject({ exitCode: 0, stdout: `removed ${root}` });
  expect(await readdir(home)).toEqual([]);
  expect(await called()).not.toContain('loginctl');
});

test('touches nothing where systemd does not answer: something may run', async () => {
  await standIn('systemctl', 'exit 1');
  const root = await makeRoot(join(home, 'windlass'));
  expect(await purge(root)).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: "the user's systemd does not answer; nothing was stopped or removed",
  });
  expect(await readdir(root)).toEqual(['node.json', 'workers']);
  expect(await purge('~/nothing')).toMatchObject({ exitCode: 0 });
});

test('says what it could not remove', async () => {
  await standIn('rm', 'exit 1');
  const root = await makeRoot(join(home, 'windlass'));
  expect(await purge(root)).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: `not all of ${root} could be removed`,
  });
});

test('what could not be removed stays ours, and the next purge takes it up', async () => {
  const units = join(home, '.config/systemd/user');
  await mkdir(units, { recursive: true });
  await writeFile(join(units, 'windlass-linger'), '');
  const root = await makeRoot(join(home, 'windlass'));
  await mkdir(join(root, 'ray'));
  await standIn('rm', 'for path; do case $path in */ray) ;; *) /bin/rm -rf -- "$path" ;; esac; done; exit 1');
  expect(await purge(root)).toMatchObject({ exitCode: 1, stderr: `not all of ${root} could be removed` });
  expect((await readdir(root)).toSorted()).toEqual(['node.json', 'ray']);
  expect(await called()).toContain('loginctl disable-linger\n');
  await rm(join(folder, 'bin/rm'));
  expect(await purge(root)).toMatchObject({ exitCode: 0, stdout: `removed ${root}` });
  expect(await readdir(home)).toEqual([]);
});

test('stops a unit that the node worker began while it was being stopped', async () => {
  const began = join(folder, 'began');
  const list = `[ ! -e "${began}" ] || echo windlass-engine-0000000000000000.service loaded active running x`;
  await standIn('systemctl', `case $* in *disable*) : >"${began}" ;; *list-units*) ${list} ;; esac`);
  const units = join(home, '.config/systemd/user');
  await mkdir(units, { recursive: true });
  await writeFile(join(units, 'windlass-node.service'), '');
  expect(await purge(await makeRoot(join(home, 'windlass')))).toMatchObject({ exitCode: 0 });
  expect(await called()).toContain('systemctl --user stop windlass-engine-0000000000000000.service\n');
});

test('switches lingering off again where it was switched on by us', async () => {
  const units = join(home, '.config/systemd/user');
  await mkdir(units, { recursive: true });
  await writeFile(join(units, 'windlass-linger'), '');
  expect(await purge(await makeRoot(join(home, 'windlass')))).toMatchObject({ exitCode: 0 });
  expect(await called()).toMatch(/loginctl disable-linger\n$/);
  expect(await readdir(home)).toEqual([]);
});

test('and also where somebody has removed its folder', async () => {
  const units = join(home, '.config/systemd/user');
  await mkdir(units, { recursive: true });
  await writeFile(join(units, 'windlass-linger'), '');
  expect(await purge('~/nothing')).toMatchObject({
    exitCode: 0,
    stdout: `nothing at ${join(home, 'nothing')}`,
  });
  expect(await called()).toMatch(/loginctl disable-linger\n$/);
});

test('says so when nothing is there', async () => {
  expect(await purge('~/nothing')).toEqual({
    exitCode: 0,
    stdout: `nothing at ${join(home, 'nothing')}`,
    stderr: '',
  });
});

describe('leaves alone', () => {
  test('a folder without our marker', async () => {
    const root = join(home, 'photos');
    await mkdir(root);
    await writeFile(join(root, 'a.jpg'), 'x');
    expect(await purge(root)).toEqual(leftAlone(root));
    expect(await readdir(root)).toEqual(['a.jpg']);
  });

  test('a folder whose marker is a folder', async () => {
    const root = join(home, 'odd');
    await mkdir(join(root, 'node.json'), { recursive: true });
    expect(await purge(root)).toEqual(leftAlone(root));
    expect(await readdir(root)).toEqual(['node.json']);
  });

  test('a link, and what it leads to', async () => {
    const target = await makeRoot(join(folder, 'elsewhere'));
    const root = join(home, 'windlass');
    await symlink(target, root);
    expect(await purge(root)).toEqual(leftAlone(root));
    expect(await readdir(target)).toEqual(['node.json', 'workers']);
    expect(await readdir(home)).toEqual(['windlass']);
  });

  test('a link with a slash behind it', async () => {
    const target = await makeRoot(join(folder, 'elsewhere'));
    await symlink(target, join(home, 'windlass'));
    expect(await purge('~/windlass//')).toEqual(leftAlone(join(home, 'windlass')));
    expect(await readdir(target)).toEqual(['node.json', 'workers']);
  });

  // Only root can give a folder to somebody else.
  (process.getuid?.() === 0 ? test : test.skip)('a folder of another user', async () => {
    const root = await makeRoot(join(home, 'windlass'));
    await chown(root, 12_345, 12_345);
    expect(await purge(root)).toEqual(leftAlone(root));
    expect(await readdir(root)).toEqual(['node.json', 'workers']);
  });

  test('the units, too, where the folder is refused', async () => {
    await mkdir(join(home, '.config/systemd/user'), { recursive: true });
    await writeFile(join(home, '.config/systemd/user/windlass-node.service'), '');
    await mkdir(join(home, 'photos'));
    await purge('~/photos');
    expect(await called()).toBe('');
    expect(await readdir(join(home, '.config/systemd/user'))).toEqual(['windlass-node.service']);
  });

  test('a link that leads nowhere', async () => {
    await symlink(join(folder, 'gone'), join(home, 'windlass'));
    await purge('~/windlass');
    expect(await readdir(home)).toEqual(['windlass']);
  });

  test.each(['.', 'sub/..', ''])('the home folder, also as ~/%s, with a marker in it', async (way) => {
    await makeRoot(home);
    await mkdir(join(home, 'sub'));
    const root = way === '' ? home : `${home}/${way}`;
    expect(await purge(`${home}/${way}`)).toEqual(leftAlone(root));
    expect(await readdir(home)).toEqual(['node.json', 'sub', 'workers']);
  });

  test('the root of the file system', async () => {
    // Were the guard lost, these would be called, and this machine would still be there.
    for (const name of ['rm', 'chmod', 'rmdir']) await standIn(name);
    expect(await purge('/')).toEqual(leftAlone('/'));
    expect(await called()).not.toMatch(/^(rm|chmod) /m);
  });
});
