import { mkdtemp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ensureLockFile, readLock } from '../../../activities/lock.ts';
import { readLockedPackages, readLockedSources } from '../../../activities/lock-file.ts';
import { sha256Hex } from '../../../src/cluster/hash.ts';
import { base, inActivity, machine } from './in-activity.ts';

/** As uv writes it. */
const text = `lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.12"

[[packages]]
name = "torch"
version = "2.13.0"
wheels = [
    { name = "torch-x86_64.whl", url = "https://index.example/torch-x86_64.whl", size = 900, hashes = { sha256 = "aa" } },
    { name = "torch-aarch64.whl", url = "https://index.example/torch-aarch64.whl", size = 800, hashes = { sha256 = "bb" } },
]

[[packages]]
name = "sglang"
version = "0.5.21"
sdist = { name = "sglang.tar.gz", url = "https://index.example/sglang.tar.gz", size = 70, hashes = { sha256 = "cc" } }

[[packages]]
name = "own"
`;
const hash = '0123456789abcdef';
const travelling = (content: string) => ({
  sha256: sha256Hex(content),
  packages: 3,
  bytes: 970,
  text: gzipSync(content).toString('base64'),
});

describe('a lock', () => {
  test('is read as names, versions and what would be fetched at most', () => {
    expect(readLockedPackages(text)).toEqual([
      { name: 'torch', version: '2.13.0', bytes: 900 },
      { name: 'sglang', version: '0.5.21', bytes: 70 },
      { name: 'own', version: '', bytes: 0 },
    ]);
  });

  test('names all from which something would be fetched', () => {
    const more = `${text}archive = { url = "https://a.example/own.zip" }

[[packages]]
name = "more"
vcs = { type = "git", url = "https://git.example/more" }

[[packages]]
name = "here"
wheels = [{ path = "here.whl" }]
directory = { path = "/tmp/here" }
`;
    expect(readLockedSources(more)).toEqual([
      'https://index.example/torch-x86_64.whl',
      'https://index.example/torch-aarch64.whl',
      'https://index.example/sglang.tar.gz',
      'https://a.example/own.zip',
      'https://git.example/more',
      'here.whl',
      '/tmp/here',
    ]);
  });

  test.each([
    ['nothing', '', []],
    [
      'a size beyond what 32 bits hold',
      '[[packages]]\nname = "a"\nwheels = [{ size = 1099511627776 }]',
      [2 ** 40],
    ],
  ])('may hold %s', (_what, lock, bytes) => {
    expect(readLockedPackages(lock).map((each) => each.bytes)).toEqual(bytes);
  });

  test.each([
    ['without the name of a package', '[[packages]]\nversion = "1"'],
    ['that is no TOML', '<html>'],
  ])('%s is unreadable', (_what, lock) => {
    expect(() => readLockedPackages(lock)).toThrow(/the fact the lock of packages cannot be read/);
  });
});

describe('the file of a lock', () => {
  let root = '';
  let path = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'windlass-lock-'));
    path = join(root, 'locks', `pylock.${hash}.toml`);
  });
  afterEach(async () => {
    await rm(root, { recursive: true });
  });
  const ensure = (lock: Parameters<typeof ensureLockFile>[2]) => ensureLockFile(machine(root), hash, lock);
  const failed = (evidence: RegExp) => ({ code: 'LOCK_FAILED', message: expect.stringMatching(evidence) });

  test('is what arrived, readable to the user alone', async () => {
    expect(await ensure(travelling(text))).toBe(text);
    expect(await readFile(path, 'utf8')).toBe(text);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('that is there already need not travel', async () => {
    await ensure(travelling(text));
    const { text: _text, ...known } = travelling(text);
    expect(await ensure(known)).toBe(text);
  });

  test('is replaced when it is another', async () => {
    await mkdir(join(root, 'locks'));
    await writeFile(path, 'another');
    await ensure(travelling(text));
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  test('that did not travel and is gone, or is another, is told', async () => {
    const { text: _text, ...known } = travelling(text);
    await expect(ensure(known)).rejects.toMatchObject(failed(/is gone/));
  });

  test('that arrived with other content is refused, and nothing is written', async () => {
    const lock = { ...travelling(text), text: travelling('other').text };
    await expect(ensure(lock)).rejects.toMatchObject(failed(/has another hash/));
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('that unfolds without end is refused', async () => {
    await expect(ensure(travelling('x'.repeat(17 * 1024 * 1024)))).rejects.toMatchObject({
      code: 'ERR_BUFFER_TOO_LARGE',
    });
  });

  test('is carried to another node with its hash, its packages and their bytes', async () => {
    await ensure(travelling(text));
    const lock = await inActivity(() => readLock(machine(root))({ ...base(root), hash }));
    expect(lock).toMatchObject({ sha256: sha256Hex(text), packages: 3, bytes: 970 });
    expect(gunzipSync(Buffer.from(lock.text, 'base64')).toString()).toBe(text);
  });
});
