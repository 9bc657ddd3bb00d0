/** The script itself, run for real on this machine by each shell that is there, as the node worker and as ssh run it. */
import { execFile, execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { frameOf, readFrames, type Frames } from '../../../src/cluster/facts/frames.ts';
import { readFacts } from '../../../src/placing/read-facts.ts';
import type { NodeFacts } from '../../../src/cluster/facts/types.ts';
import { ensureAuthority, ensureServer, issueForNode } from '../../../workers/front/authority.ts';

const script = fileURLToPath(new URL('../../../src/cluster/facts/facts.sh', import.meta.url));
const standIn = fileURLToPath(new URL('../../standin/nvidia-smi', import.meta.url));
const shells = ['dash', 'bash', 'sh'].filter((shell) =>
  ['/bin', '/usr/bin'].some((folder) => existsSync(join(folder, shell))),
);

const home = mkdtempSync(join(tmpdir(), 'facts-'));
const root = join(home, 'own root');
const environment = '3f1c9a0b7d2e4f56';
let server: Server;
let port = 0;

/** Every entry below a folder with what would change if it were touched. */
function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => {
    const info = lstatSync(join(folder, name));
    return `${name} ${info.mode} ${info.size} ${info.mtimeMs} ${info.ctimeMs}`;
  });
}

function write(path: string, content: string | object): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
}

const marker = {
  hash: environment,
  request: 'a1b2c3d4e5f60718',
  lock: '9'.repeat(64),
  python: '3.12.12',
  listing: '0'.repeat(64),
  packages: 3,
  bytes: 1,
  at: 1,
};
const model = {
  key: 'aa',
  model: 'm',
  commit: null,
  path: join(home, 'models', 'x y'),
  files: 3,
  bytes: 60,
  at: 1,
};

function writeState(): void {
  write('node.json', { id: '00112233445566aa', mintedAt: 1 });
  write('owner.json', { cluster: 'a', home: '00112233445566aa', fence: { startedAt: 1, run: 'r' } });
  write('locks/pylock.a1b2c3d4e5f60718.toml', 'lock-version = "1.0"\n');
  write(`envs/${environment}/windlass.json`, marker);
  for (const name of [
    'torch-2.13.0.dist-info',
    'Jinja2-3.1.dist-info',
    'zz_top-1.dist-info',
    'a.dist-info.txt',
    'b',
  ]) {
    mkdirSync(join(root, 'envs', environment, 'lib/python3.12/site-packages', name), { recursive: true });
  }
  const interpreter = join(root, 'cache/python/cpython-3.12.12-linux-x86_64-gnu/bin/python3.12');
  mkdirSync(join(root, 'envs', environment, 'bin'));
  symlinkSync(interpreter, join(root, 'envs', environment, 'bin/python'));
  write(`models/${model.key}.json`, model);
  mkdirSync(join(model.path, 'inner'), { recursive: true });
  writeFileSync(join(model.path, 'a'), 'x'.repeat(10));
  writeFileSync(join(home, 'blob'), 'x'.repeat(20));
  symlinkSync(join(home, 'blob'), join(model.path, 'inner', 'link'));
  writeFileSync(join(model.path, '.hidden'), 'x'.repeat(30));
  write('runs/windlass-wheels-1111111111111111/result.json', {
    exitCode: 0,
    signal: null,
    startedAt: 1,
    endedAt: 2,
  });
  write('proofs/big.json', `"${'x'.repeat(200_000)}"`);
  write('workers/0.1.0/worker.cjs', '');
  symlinkSync('0.1.0', join(root, 'workers', 'current'));
  mkdirSync(join(root, 'cache/python/cpython-3.12.12-linux-x86_64-gnu/bin'), { recursive: true });
  writeFileSync(join(root, 'cache/python/cpython-3.12.12-linux-x86_64-gnu/bin/python3.12'), '', {
    mode: 0o755,
  });
}

/** As a head has them that is a node too; returns when each ends. */
async function writeCertificates(): Promise<NodeFacts['state']['certificates']> {
  const folder = join(root, 'home/ca');
  await ensureAuthority(folder);
  await ensureServer(folder, '10.0.0.25');
  write('certificates/node.crt', (await issueForNode(folder, '00112233445566aa', 30)).certificate);
  const endOf = (path: string): number =>
    Date.parse(new X509Certificate(readFileSync(join(root, path))).validTo);
  return [
    { of: 'authority', ends: endOf('home/ca/ca.crt') },
    { of: 'front', ends: endOf('home/ca/server.crt') },
    { of: 'node', ends: endOf('certificates/node.crt') },
  ];
}

let certificates: NodeFacts['state']['certificates'];

beforeAll(async () => {
  writeState();
  certificates = await writeCertificates();
  mkdirSync(join(home, 'bin'));
  symlinkSync(standIn, join(home, 'bin', 'nvidia-smi'));
  writeFileSync(
    join(home, 'gpu.json'),
    JSON.stringify({ name: 'NVIDIA GB10', capability: '12.1', driver: '580.95.05' }),
  );
  server = createServer((_request, response) => {
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.close();
  rmSync(home, { recursive: true });
});

const environmentOf = (more: Record<string, string> = {}) => ({
  HOME: home,
  PATH: `${join(home, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
  STANDIN_GPU_JSON: join(home, 'gpu.json'),
  ...more,
});

/** Run the script; it must not need anything from standard input or error. */
async function look(
  shell: string,
  args: readonly string[],
  way: 'file' | 'standard input' = 'file',
  env = environmentOf(),
): Promise<{ facts: NodeFacts; frames: Frames; stderr: string }> {
  const argv = way === 'file' ? [script, ...args] : ['-s', '--', ...args];
  const running = promisify(execFile)(shell, argv, { env, cwd: home, maxBuffer: 8_000_000 });
  running.child.stdin?.end(way === 'file' ? '' : readFileSync(script));
  const { stdout, stderr } = await running;
  return { facts: readFacts(stdout), frames: readFrames(stdout), stderr };
}

describe.each(shells)('by %s', (shell) => {
  it('tells which Ray was started before its token, and where sockets of Ray are', async () => {
    const [older, newer] = ['windlass-ray-0123456789abcdef', 'windlass-ray-1111111111111111'];
    const ray = join(root, 'ray');
    const at = (path: string, seconds: number): void => {
      utimesSync(join(root, path), seconds, seconds);
    };
    write('secrets/rayToken', 'token');
    at('secrets/rayToken', 2_000);
    for (const [unit, seconds] of [
      [older, 1_000],
      [newer, 3_000],
    ] as const) {
      write(`runs/${unit}/unit.json`, { unit });
      at(`runs/${unit}/unit.json`, seconds);
    }
    for (const folder of ['session_1/sockets', 'session_2/logs'])
      mkdirSync(join(ray, folder), { recursive: true });
    symlinkSync(join(ray, 'session_0'), join(ray, 'session_latest'));
    try {
      const { frames } = await look(shell, ['--root', '~/own root']);
      expect(frameOf(frames, 'ray-outdated')).toBe(`${older}\n`);
      expect(frameOf(frames, 'ray-sockets')).toBe(`${ray}\n${join(ray, 'session_1/sockets')}\n`);
      expect(frameOf(frames, 'unit-files')).toBe(`${older}\n${newer}\n`);
    } finally {
      for (const made of ['secrets', `runs/${older}`, `runs/${newer}`, 'ray'])
        rmSync(join(root, made), { recursive: true });
    }
  });

  it.each(['file', 'standard input'] as const)(
    'tells of this machine, run from %s, and changes nothing',
    async (way) => {
      const before = snapshot(home);
      const started = Date.now();
      const { facts, stderr } = await look(shell, ['--root', '~/own root', '--ports', `${port},1`], way);
      expect(stderr).toBe('');
      expect(snapshot(home)).toEqual(before);
      expect(facts.clock).toBeGreaterThanOrEqual(started - 1000);
      expect(facts.clock).toBeLessThanOrEqual(Date.now() + 1000);
      expect(facts).toMatchObject({
        hostName: hostname(),
        machine: execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim(),
        user: { name: userInfo().username, uid: userInfo().uid, home },
        gpus: [{ name: 'NVIDIA GB10', capability: '12.1' }],
        hardware: 'spark',
        driver: '580.95.05',
      });
      expect(facts.glibc).toMatch(/^2\.[0-9]+$/);
      expect(facts.memory.availableBytes).toBeGreaterThan(10_000_000);
      expect(facts.interfaces.find(({ name }) => name === 'lo')?.addresses).toContain('127.0.0.1');
      expect(facts.disks.map(({ purpose, path }) => [purpose, path])).toEqual([
        ['root', root],
        ['model', join(home, '.cache/huggingface')],
      ]);
    },
  );

  it('names the listener on a wanted port: this process', async () => {
    const { facts } = await look(shell, ['--root', root, '--ports', `${port}`]);
    expect(facts.listeners).toMatchObject([
      { port, address: '127.0.0.1', pid: process.pid, user: userInfo().username },
    ]);
    expect((await look(shell, ['--root', root, '--ports', '1'])).facts.listeners).toEqual([]);
  });

  it('finds our state as it lies on disk', async () => {
    const { state, pythons } = (await look(shell, ['--root', root])).facts;
    const sites = join(root, 'envs', environment, 'lib/python3.12/site-packages');
    const listing = execFileSync('sh', [
      '-c',
      `ls -1 "$1" | grep '\\.dist-info$' | LC_ALL=C sort`,
      'sh',
      sites,
    ]);
    expect(state).toEqual({
      identity: { id: '00112233445566aa', mintedAt: 1 },
      owner: { cluster: 'a', home: '00112233445566aa', fence: { startedAt: 1, run: 'r' } },
      payload: '0.1.0',
      locks: { a1b2c3d4e5f60718: createHash('sha256').update('lock-version = "1.0"\n').digest('hex') },
      environments: [{ ...marker, listingNow: createHash('sha256').update(listing).digest('hex') }],
      proofs: [],
      certificates,
      models: [{ ...model, filesNow: 3, bytesNow: 60 }],
      units: [
        {
          name: 'windlass-wheels-1111111111111111',
          active: 'inactive',
          mainPid: null,
          processes: [],
          result: { exitCode: 0, signal: null, startedAt: 1, endedAt: 2 },
        },
      ],
    });
    expect(pythons.find(({ path }) => path.startsWith(root))?.version).toBe('3.12.12');
  });

  it('tries servers side by side, each for at most 3 seconds', async () => {
    const closed = 'http://127.0.0.1:1/';
    const open = `http://127.0.0.1:${port}/simple`;
    const silent = createServer();
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const hanging = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    let connected = 0;
    let together = 0;
    silent.on('connection', (socket) => {
      connected += 1;
      together = Math.max(together, connected);
      socket.on('close', () => {
        connected -= 1;
      });
    });
    const urls = [closed, open, hanging, `${hanging}again`, 'ftp://127.0.0.1/'];
    const { reach } = (await look(shell, ['--root', root, ...urls.flatMap((url) => ['--reach', url])])).facts;
    expect(together).toBe(2);
    silent.closeAllConnections();
    silent.close();
    expect(Object.fromEntries(reach.map(({ url, reachable }) => [url, reachable]))).toEqual({
      [closed]: false,
      [open]: true,
      [hanging]: false,
      [`${hanging}again`]: false,
    });
  });
});

it('counts nothing as installed where no interpreter can run it', async () => {
  const interpreter = join(root, 'cache/python/cpython-3.12.12-linux-x86_64-gnu/bin/python3.12');
  renameSync(interpreter, `${interpreter}.gone`);
  const { environments } = (await look('sh', ['--root', root])).facts.state;
  renameSync(`${interpreter}.gone`, interpreter);
  expect(environments).toEqual([{ ...marker, listingNow: null }]);
});

describe('hostile surroundings', () => {
  const canary = join(home, 'pwned');

  it('takes arguments, file names and contents as text', async () => {
    const evil = `$(touch ${canary})\`touch ${canary}\`; touch ${canary} '"`;
    mkdirSync(join(home, evil.replaceAll('/', '_')), { recursive: true });
    write(`models/${evil.replaceAll('/', '_')}.json`, { ...model, path: `/${evil}` });
    write('models/evil.json', { ...model, key: 'evil', path: `/$(touch ${canary})` });
    const args = [
      '--root',
      root,
      '--model-dir',
      `/${evil}`,
      '--ports',
      evil,
      '--reach',
      `http://127.0.0.1:1/${evil}`,
    ];
    const { facts } = await look('sh', [...args, '--unknown', evil, '--root']);
    expect(existsSync(canary)).toBe(false);
    expect(facts.listeners).toBeNull();
    expect(facts.state.models.map(({ key }) => key).toSorted()).toEqual(['aa', 'evil']);
    expect(facts.disks[1]?.path).toBe(`/${evil}`);
  });

  it('finds nothing of ours under a folder that is not there', async () => {
    const { facts } = await look('sh', ['--root', join(home, 'not', 'there')]);
    expect(facts.state).toEqual({
      certificates: [],
      identity: null,
      owner: null,
      payload: null,
      locks: {},
      environments: [],
      proofs: [],
      models: [],
      units: [],
    });
    expect(facts.disks[0]?.path).toBe(join(home, 'not', 'there'));
  });

  it('does not read a broken owner as no owner', async () => {
    const other = join(home, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'owner.json'), '{"cluster":');
    await expect(look('sh', ['--root', other])).rejects.toMatchObject({
      code: 'FACT_UNREADABLE',
      data: { fact: 'owner.json' },
    });
  });

  it('counts the files of a folder once that two markers name, as of a branch and of its commit', async () => {
    write('models/bb.json', { ...model, key: 'bb' });
    const { facts } = await look('sh', ['--root', root]);
    rmSync(join(root, 'models/bb.json'));
    const expected = ['aa', 'bb'].map((key) => ({ ...model, key, filesNow: 3, bytesNow: 60 }));
    expect(facts.state.models.filter(({ path }) => path === model.path)).toEqual(expected);
  });

  it('takes an id that lost its text with the power for none, and an owner that did so for one', async () => {
    const emptied = join(home, 'emptied');
    mkdirSync(emptied);
    writeFileSync(join(emptied, 'node.json'), '');
    const { facts } = await look('sh', ['--root', emptied]);
    expect(facts.state.identity).toBeNull();
    writeFileSync(join(emptied, 'owner.json'), '');
    await expect(look('sh', ['--root', emptied])).rejects.toMatchObject({ data: { fact: 'owner.json' } });
  });

  it('keeps the words of a driver that does not work', async () => {
    const env = environmentOf({ STANDIN_GPU_JSON: join(home, 'none.json') });
    const { facts } = await look('sh', ['--root', root], 'file', env);
    expect(facts.gpus).toEqual([]);
    expect(facts.gpuError).toMatch(/^NVIDIA-SMI has failed because it couldn't communicate/);
  });

  it('tells a program that holds GPU memory, by what the driver says', async () => {
    const holder = execFile('/usr/bin/python3', [
      '-c',
      `import os, socket, time
ticks = open("/proc/self/stat").read().rpartition(")")[2].split()[19]
held = socket.socket(socket.AF_UNIX)
held.bind(f"\\0windlass-standin-gpu/0/{os.getpid()}/{ticks}/{3 * 1024 ** 3}")
print("up", flush=True)
time.sleep(60)`,
    ]);
    try {
      await new Promise((resolve) => holder.stdout?.once('data', resolve));
      const { facts } = await look('sh', ['--root', root]);
      expect(facts.strangers).toContainEqual(
        expect.objectContaining({
          kind: 'gpu',
          pid: holder.pid,
          user: userInfo().username,
          gpuBytes: 3 * 1024 ** 3,
        }),
      );
    } finally {
      holder.kill();
    }
  });

  it('tells an engine that was started by hand', async () => {
    mkdirSync(join(home, 'packages', 'sglang'), { recursive: true });
    const module = 'import time\nprint("up", flush=True)\ntime.sleep(60)\n';
    writeFileSync(join(home, 'packages', 'sglang', 'launch_server.py'), module);
    const sleeper = execFile('/usr/bin/python3', ['-m', 'sglang.launch_server'], {
      cwd: join(home, 'packages'),
    });
    try {
      await new Promise((resolve) => sleeper.stdout?.once('data', resolve));
      const { facts } = await look('sh', ['--root', root]);
      expect(facts.strangers).toContainEqual(expect.objectContaining({ kind: 'engine', pid: sleeper.pid }));
    } finally {
      sleeper.kill();
    }
  });
});
