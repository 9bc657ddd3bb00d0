/** The package as npm would publish it: installed in an empty folder elsewhere, it runs. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import { version } from '../../src/version.ts';
import { repository } from './stage.ts';

// An installation of all libraries from the registry.
jest.setTimeout(300_000);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-pack-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the package', () => {
  let installed: string;
  let program: string;
  beforeAll(async () => {
    const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', folder], {
      cwd: repository,
    });
    const [packed] = JSON.parse(stdout) as { filename: string }[];
    await writeFile(join(folder, 'package.json'), '{"private":true}');
    await execa(
      'npm',
      ['install', '--ignore-scripts', '--no-audit', '--no-fund', `./${packed?.filename ?? ''}`],
      { cwd: folder },
    );
    installed = join(folder, 'node_modules/windlass');
    program = join(folder, 'node_modules/.bin/windlass');
  });

  test('runs where it was installed', async () => {
    expect((await execa(program, ['--version'], { cwd: folder })).stdout).toBe(version);
    expect((await execa(program, ['--help'], { cwd: folder })).stdout).toContain('bring the cluster up');
    const wrong = await execa(program, ['up', 'nowhere.yaml'], { cwd: folder, reject: false });
    expect(wrong.exitCode).toBe(2);
    expect(wrong.stderr).toContain('nowhere.yaml');
  });

  test.each([
    [[], 'Usage: windlass'],
    [['upp', 'lab.yaml'], 'Did you mean up?'],
    [['up', '--jsn', 'lab.yaml'], 'Did you mean --json?'],
    [['up'], "missing required argument 'file'"],
    [['nonsense'], 'windlass --help lists the commands'],
  ])('says how it is used to who writes %j (X53)', async (args, sentence) => {
    const { exitCode, stderr, stdout } = await execa(program, args, { reject: false });
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(sentence);
  });

  test('is silent to a reader that went away, and says that a disk is full (X55)', async () => {
    const shell = (script: string, env = {}) =>
      execa('bash', ['-c', script, 'bash', program], { reject: false, env });
    expect(await shell('"$1" --help | true; exit "${PIPESTATUS[0]}"')).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
    expect(await shell('"$1" --help > /dev/full')).toMatchObject({
      exitCode: 1,
      stderr: 'standard output cannot be written: ENOSPC',
    });
    expect(await shell('"$1" up nowhere.yaml --json > /dev/full')).toMatchObject({ exitCode: 2 });
    const narrow = await shell('"$1" up nowhere.yaml', { TERM: 'dumb', NO_COLOR: '1', COLUMNS: '20' });
    expect(narrow).toMatchObject({ exitCode: 2, stderr: expect.not.stringContaining('\u001B') });
  });

  test('judges a cluster file and reaches for its node', async () => {
    await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')]);
    const stranger = createServer((socket) => socket.end('220 mail\r\n')).listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const { port } = stranger.address() as AddressInfo;
    await writeFile(
      join(folder, 'cluster.yaml'),
      `schemaVersion: 1
name: elsewhere
head: here
nodes: [{ name: here, address: 127.0.0.1, ssh: { port: ${port}, identityFile: ${join(folder, 'key')} } }]
model: { id: owner/name }
engine: { name: sglang, version: '0.5.21' }
parallel: { pipeline: 1 }
`,
    );
    const refused = await execa(program, ['check', 'cluster.yaml', '--json'], { cwd: folder, reject: false });
    stranger.close();
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toContain('SSH_NOT_SSH');
  });

  test('holds what is placed on nodes, and every script', async () => {
    for (const world of ['src', 'activities']) {
      const scripts = (await readdir(join(repository, world), { recursive: true })).filter((path) =>
        /\.(sh|py)$/.test(path),
      );
      expect(scripts.length).toBeGreaterThan(0);
      expect(scripts.filter((path) => !existsSync(join(installed, 'dist', world, path)))).toEqual([]);
    }
    const placed = await readdir(join(repository, 'dist/payload'));
    expect(placed).toContain('node-worker.js');
    expect(placed.filter((path) => !existsSync(join(installed, 'dist/payload', path)))).toEqual([]);
    expect(existsSync(join(installed, 'dist/workflow-bundle.cjs'))).toBe(true);
  });

  test('names nothing of the machine that built it, since what is placed is named by its content', async () => {
    const dist = join(installed, 'dist');
    const files = (await readdir(dist, { recursive: true, withFileTypes: true })).filter((each) =>
      each.isFile(),
    );
    for (const { parentPath, name } of files) {
      const text = await readFile(join(parentPath, name), 'utf8');
      const maps = [...text.matchAll(/sourceMappingURL=data:application\/json[^,]*;base64,([\w+/=]+)/g)];
      const decoded = maps.map(([, encoded]) => Buffer.from(encoded ?? '', 'base64').toString());
      expect([name, [text, ...decoded].some((each) => each.includes(repository))]).toEqual([name, false]);
    }
  });

  test('holds no point at which a worker can be made to die', async () => {
    for (const name of ['node-worker.js', 'control-worker.js', 'unit.js']) {
      const text = await readFile(join(installed, 'dist/payload', name), 'utf8');
      expect([name, /CRASH_POINTS|crash-at|after-act/.test(text)]).toEqual([name, false]);
    }
  });

  test('holds no defect that publint knows', async () => {
    const publint = join(repository, 'node_modules/.bin/publint');
    const result = await execa(publint, ['--level', 'error'], { cwd: installed, reject: false });
    expect({ exitCode: result.exitCode, said: result.stdout }).toMatchObject({ exitCode: 0 });
  });
});

test('what was built runs as it is, as npx runs it once it knows the folder', async () => {
  const { stdout } = await execa(join(repository, 'dist/bin/windlass.cjs'), ['--help']);
  expect(stdout).toContain('Usage: windlass');
});

test('says in one sentence that Node.js is too old', async () => {
  const old = join(folder, 'old.cjs');
  await writeFile(old, "Object.defineProperty(process.versions, 'node', { value: '18.20.4' });");
  const result = await execa(
    process.execPath,
    ['--require', old, join(repository, 'dist/bin/windlass.cjs'), '--help'],
    { reject: false },
  );
  expect(result.exitCode).toBe(2);
  expect(result.stdout).toBe('');
  expect(result.stderr).toMatch(/^windlass needs Node\.js 20\.19 or newer; this is v[\d.]+$/);
});
