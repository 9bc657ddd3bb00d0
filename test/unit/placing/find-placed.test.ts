/** The look at a node, by the real script on a folder of this machine, and what is decided by it. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { certificatePaths, layoutOf } from '../../../src/cluster/layout.ts';
import { parseClusterFile } from '../../../src/config/load.ts';
import type { ClusterFile } from '../../../src/config/schema.ts';
import { isGoodCertificate } from '../../../src/placing/certificates.ts';
import { findPlaced } from '../../../src/placing/find-placed.ts';
import { demandHomeRoom } from '../../../src/placing/home-room.ts';
import type { Look, LookedNode } from '../../../src/placing/look.ts';
import { parseLook } from '../../../src/placing/look.ts';
import { rayTokenPath, wantedHome, wantedNodeWorker } from '../../../src/placing/wanted.ts';
import type { Wanted } from '../../../src/placing/wanted.ts';
import { ensureAuthority, ensureServer, issueForNode } from '../../../workers/front/authority.ts';

const script = fileURLToPath(new URL('../../../src/placing/scripts/look.sh', import.meta.url));
const version = '1.2.3-0123456789ab';
const ids = { head: '1'.repeat(16), worker: '2'.repeat(16) };
const secrets = new Map([['apiKey', 'sesame'] as const]);

const file: ClusterFile = parseClusterFile(
  'cluster.yaml',
  Buffer.from(`schemaVersion: 1
name: demo
head: head
nodes:
  - { name: head, address: 10.0.0.25, hardware: spark }
  - { name: worker, address: 10.0.0.22, hardware: spark }
model: { id: owner/name }
engine: { name: sglang, version: '0.5.21' }
parallel: { pipeline: 2 }
`),
).file;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'windlass-look-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Home folders of two nodes, as placing leaves them. */
async function placeBoth(): Promise<void> {
  const authority = join(folder, 'head/.local/share/windlass/home/ca');
  await ensureAuthority(authority);
  await ensureServer(authority, '10.0.0.25');
  const issued = await issueForNode(authority, ids.worker, 825);
  for (const name of ['head', 'worker'] as const) {
    const root = join(folder, name, '.local/share/windlass');
    put(`${root}/node.json`, `{"id":"${ids[name]}","mintedAt":1}\n`);
    put(rayTokenPath(root), 'token');
    mkdirSync(`${root}/workers`);
    symlinkSync(version, `${root}/workers/current`);
  }
  const certificates = layoutOf(join(folder, 'worker/.local/share/windlass')).certificates;
  put(`${certificates}/ca.crt`, issued.ca);
  put(`${certificates}/node.crt`, issued.certificate);
  put(`${certificates}/node.key`, issued.key);
  const [head, worker] = look();
  if (!head || !worker) throw new Error('two nodes');
  const place = (node: LookedNode, name: 'head' | 'worker') => ({ ...node, id: ids[name] });
  write(wantedHome(file, place(head, 'head'), [ids.head, ids.worker]));
  write(wantedNodeWorker(file, place(head, 'head'), head.entry, secrets));
  write(wantedNodeWorker(file, place(worker, 'worker'), head.entry, secrets));
}

function put(path: string, text: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
}

function write({ files }: Wanted): void {
  for (const { path, text, mode } of files) put(path, text, mode);
}

/** What the script says of a home folder. There are no units here, so those are told to be active. */
function lookAtHome(home: string): Look {
  const paths = [
    ...['home/control-worker.json', 'home/front.json', 'home/ca/server.key', 'node-worker.json'],
    ...['certificates/ca.crt', 'certificates/node.key', 'secrets/rayToken', 'secrets/apiKey'],
  ].map((path) => `~/.local/share/windlass/${path}`);
  const units = ['node', 'temporal', 'control', 'front'].map((name) => `windlass-${name}.service`);
  const args = [
    '~/.local/share/windlass',
    units.join(','),
    Object.values(certificatePaths).join(','),
    ...paths,
    ...units.map((unit) => `~/.config/systemd/user/${unit}`),
  ];
  const env = { PATH: process.env['PATH'] ?? '', HOME: home };
  const answer = execFileSync('sh', [script, ...args], { env, encoding: 'utf8' });
  return { ...parseLook(answer), active: new Map(units.map((unit) => [unit, 60_000])) };
}

function look(): LookedNode[] {
  return file.nodes.map((entry) => ({
    entry,
    connection: undefined as unknown as LookedNode['connection'],
    look: lookAtHome(join(folder, entry.name)),
  }));
}

const find = (nodes = look()) =>
  findPlaced(nodes, { file, secrets, versionFor: () => Promise.resolve(version) });

describe('findPlaced', () => {
  it('knows the nodes where all stands', async () => {
    await placeBoth();
    expect((await find())?.map(({ id }) => id)).toEqual([ids.head, ids.worker]);
  });

  it('says no where nothing was ever placed', async () => {
    expect(await find()).toBeUndefined();
  });

  const spoiled: [string, (root: string, home: string) => void][] = [
    [
      'a setting that differs',
      (root) => {
        put(`${root}/node-worker.json`, '{}');
      },
    ],
    [
      'a secret that others may read',
      (root) => {
        chmodSync(`${root}/secrets/apiKey`, 0o644);
      },
    ],
    [
      'another secret',
      (root) => {
        put(`${root}/secrets/apiKey`, 'other');
      },
    ],
    [
      'another Ray token than the head has',
      (root) => {
        put(`${root}/secrets/rayToken`, 'other');
      },
    ],
    [
      'a unit file that differs',
      (_, home) => {
        put(`${home}/.config/systemd/user/windlass-node.service`, '', 0o644);
      },
    ],
    [
      'no key',
      (root) => {
        rmSync(`${root}/certificates/node.key`);
      },
    ],
    [
      'no certificate',
      (root) => {
        rmSync(`${root}/certificates/node.crt`);
      },
    ],
    [
      'a certificate that is none',
      (root) => {
        put(`${root}/certificates/node.crt`, 'certificate');
      },
    ],
    [
      'a placing that was cut off before its units were started again',
      (root) => {
        put(`${root}/workers/activating`, version);
      },
    ],
    [
      'no payload',
      (root) => {
        rmSync(`${root}/workers/current`);
      },
    ],
  ];
  it.each(spoiled)('says no to %s', async (_what, spoil) => {
    await placeBoth();
    const home = join(folder, 'worker');
    spoil(`${home}/.local/share/windlass`, home);
    expect(await find()).toBeUndefined();
  });

  it('says no to a unit that does not run, another version, and a front without its certificate', async () => {
    await placeBoth();
    const nodes = look();
    const stopped = nodes.map((node) => ({
      ...node,
      look: { ...node.look, active: new Map<string, number>() },
    }));
    expect(await find(stopped)).toBeUndefined();
    expect(
      await findPlaced(nodes, { file, secrets, versionFor: () => Promise.resolve('1.2.4-0') }),
    ).toBeUndefined();
    rmSync(join(folder, 'head/.local/share/windlass/home/ca/server.crt'));
    expect(await find()).toBeUndefined();
  });
});

describe('isGoodCertificate', () => {
  it('wants the authority, the name, and 60 days', async () => {
    const [ours, other] = [join(folder, 'ours'), join(folder, 'other')];
    await ensureAuthority(ours);
    await ensureAuthority(other);
    const { ca, certificate } = await issueForNode(ours, ids.worker, 61);
    const stranger = await issueForNode(other, ids.worker, 61);
    const old = await issueForNode(ours, ids.worker, 59);
    expect(isGoodCertificate(certificate, ca, ids.worker)).toBe(true);
    expect(isGoodCertificate(certificate, ca, ids.head)).toBe(false);
    expect(isGoodCertificate(stranger.certificate, ca, ids.worker)).toBe(false);
    expect(isGoodCertificate(old.certificate, ca, ids.worker)).toBe(false);
  });
});

describe('parseLook', () => {
  it('refuses an answer of another form', () => {
    expect(() => parseLook('This account is not available.')).toThrow(
      expect.objectContaining({ code: 'FACT_UNREADABLE' }),
    );
  });

  it('takes a broken identity as none', () => {
    const answer = 'home /home/dgx\nroot /r\nmachine x86_64\nlibc glibc 2.36\nidentity {"id":\n';
    expect(parseLook(answer)).toMatchObject({ id: null, payload: null, libc: 'glibc 2.36' });
  });
  it('says of the units that are active for how long', () => {
    const answer = [
      'home /home/dgx\nroot /r\nmachine x86_64\nlibc glibc 2.36\nuptime 100.50',
      'Id=windlass-node.service\nActiveState=active\nActiveEnterTimestampMonotonic=90500000\n',
      'ActiveState=inactive\nActiveEnterTimestampMonotonic=0\nId=windlass-temporal.service',
    ].join('\n');
    expect([...parseLook(answer).active]).toEqual([['windlass-node.service', 10_000]]);
  });

  it('says what the home has free, and null where there is no home', () => {
    const answer = 'home /home/dgx\nroot /r\nmachine x86_64\nlibc glibc 2.36\n';
    expect(parseLook(answer).homeFreeBytes).toBeNull();
    expect(parseLook(`${answer}room 10 4096\n`).homeFreeBytes).toBe(40_960);
  });
});

describe('the room of the home', () => {
  it('is read where there is a home', async () => {
    await placeBoth();
    expect(look().map(({ look: { homeFreeBytes } }) => typeof homeFreeBytes)).toEqual(['number', 'object']);
  });

  const head = (homeFreeBytes: number | null): LookedNode =>
    ({ entry: { name: 'head' }, look: { root: '/r', homeFreeBytes } }) as LookedNode;

  it('is too small for a run on a disk that is full', () => {
    expect(() => {
      demandHomeRoom(head(40_960));
    }).toThrow(/no space left for the home in \/r\/home \(41 kB free\)/);
  });
  it('is enough where there is no home yet, or a hundred megabytes', () => {
    demandHomeRoom(head(null));
    demandHomeRoom(head(100_000_000));
  });
});
