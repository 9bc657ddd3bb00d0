/** One table for each check of the whole cluster, and what holds for all checks. */
import { describe, expect, it } from '@jest/globals';
import { advisories, lastChecked } from '../../../src/cluster/checks/advisories.ts';
import type { Observed } from '../../../src/cluster/checks/check.ts';
import { clusterChecks, nodeChecks } from '../../../src/cluster/checks/index.ts';
import { judgeAll, judgeCluster } from '../../../src/cluster/checks/judge.ts';
import { facts, file, observed, spec, specWith } from './cluster.ts';
import type { NodeFacts } from '../../../src/cluster/facts/types.ts';

type Row = readonly [what: string, nodes: readonly Observed[], wanted: typeof spec, ...said: string[]];

function table(name: string, rows: readonly Row[]): void {
  describe(name, () => {
    it.each(rows)('%s', (_what, nodes, wanted, ...said) => {
      expect(
        judgeCluster(wanted, nodes)
          .filter((result) => result.check === name)
          .map(
            ({ verdict, node, sentence, remedy }) =>
              `${verdict}${node === null ? '' : ` ${node}`} · ${sentence}${remedy === undefined ? '' : ` → ${remedy}`}`,
          ),
      ).toEqual(said);
    });
  });
}

const identity = (id: string): Partial<NodeFacts> => ({
  state: { ...facts().state, identity: { id, mintedAt: 1 } },
});
const fresh: Partial<NodeFacts> = { state: { ...facts().state, identity: null } };

table('one-id-each', [
  ['each its own', observed(), spec, 'pass · each node has an id of its own, or none yet'],
  [
    'none yet',
    observed({ thorx: fresh, 'jetson-thor': fresh }),
    spec,
    'pass · each node has an id of its own, or none yet',
  ],
  [
    'two with one',
    observed({ 'jetson-thor': identity('7'), thorx: identity('7') }),
    spec,
    'fail · jetson-thor and thorx bear the same id (7): they are one machine, or the disk of one is a copy → Name each machine once; from a copied disk remove ~/.local/share/windlass/node.json. Then run windlass up.',
  ],
]);

const { clock } = facts();
const seconds = (count: number) => ({ clock: clock + count * 1000 });
const timed = (nodes: readonly Observed[], readAt = clock): Observed[] =>
  nodes.map((each) => ({ ...each, readAt }));

table('clock-skew', [
  ['equal', observed(), spec, 'pass · the clocks agree within 5 s'],
  [
    'within 5 s',
    timed(observed({ thorx: seconds(4), 'jetson-thor': seconds(-5) })),
    spec,
    'pass · the clocks agree within 5 s',
  ],
  [
    'one ahead',
    timed(observed({ thorx: seconds(8) })),
    spec,
    'warn thorx · the clock is 8 s ahead of the other nodes → sudo timedatectl set-ntp true',
  ],
  [
    'one far behind, one a little: the median is the measure',
    timed(observed({ thorx: seconds(-7200), 'spark-ea8e': seconds(6) })),
    spec,
    'warn spark-ea8e · the clock is 6 s ahead of the other nodes → sudo timedatectl set-ntp true',
    'fail thorx · the clock is 7200 s behind of the other nodes → sudo timedatectl set-ntp true',
  ],
  [
    'one of two behind: the reader tells which',
    timed(observed({ 'spark-4080': seconds(-7200) })).slice(0, 2),
    spec,
    'fail spark-4080 · the clock is 7200 s behind of the other nodes → sudo timedatectl set-ntp true',
  ],
  [
    'read an hour apart, and known to be',
    observed({ thorx: seconds(3600) }).map((each) => ({ ...each, readAt: each.facts.clock + 500 })),
    spec,
    'pass · the clocks agree within 5 s',
  ],
  [
    'far apart, and not known when they were read',
    observed({ thorx: seconds(3600) }),
    spec,
    'warn thorx · the clock is 3600 s ahead of the other nodes → sudo timedatectl set-ntp true',
  ],
]);

const python = (...versions: string[]) => ({
  pythons: versions.map((version) => ({ path: '/usr/bin/python3.12', version })),
});
const managed = (version: string) => ({
  path: `/home/dgx/.local/share/windlass/cache/python/cpython-${version}-linux-aarch64-gnu/bin/python3.12`,
  version,
});
const exact = specWith({ environments: { spark: { python: '3.12.3' }, thor: { python: '3.12.3' } } });
const fields = 'environments.spark.python and environments.thor.python';

table('transport', [
  ['chosen by itself', observed(), spec, 'pass · sockets, or RoCE where every node has it'],
  [
    'RoCE demanded, on nodes of which two have it',
    observed(
      Object.fromEntries(
        ['spark-ea8e', 'spark-4080'].map((name) => [name, { rdmaInterfaces: ['enp1s0f0np0'] }]),
      ),
    ),
    specWith({ network: { transport: 'roce' } }),
    'warn · network.transport is roce, and no active RDMA device is known on the cluster interface of jetson-thor and thorx; ranks of which some have RoCE and some not wait for each other without a word → Look there: ls /sys/class/infiniband/*/device/net; or set network.transport to auto.',
  ],
]);

table('equal-python', [
  ['the same everywhere', observed(), spec, 'pass · Python 3.12.3 on all nodes'],
  [
    'another patch on one',
    observed({ thorx: python('3.12.9') }),
    spec,
    `fail · Python differs: 3.12.3 on spark-ea8e, 3.12.3 on spark-4080, 3.12.3 on jetson-thor and 3.12.9 on thorx; Ray refuses a node whose patch differs → Set ${fields} to "3.12.3".`,
  ],
  [
    'one where uv would take an interpreter of its own, though a common one is there',
    observed({ thorx: { pythons: [...facts().pythons, managed('3.12.12'), managed('3.12.2')] } }),
    spec,
    `fail · Python differs: 3.12.3 on spark-ea8e, 3.12.3 on spark-4080, 3.12.3 on jetson-thor and 3.12.12 on thorx; Ray refuses a node whose patch differs → Set ${fields} to "3.12.3".`,
  ],
  [
    'none on one node',
    observed({ thorx: python('3.10.12') }),
    spec,
    `warn · Python 3.12.3 is on some nodes, and uv has to bring 3.12 to thorx, maybe in another patch → Set ${fields} to "3.12.3".`,
  ],
  [
    'none on one node, and two patches on the others',
    observed({ thorx: python(), 'jetson-thor': python('3.12.9') }),
    spec,
    `fail · Python differs: 3.12.3 on spark-ea8e, 3.12.3 on spark-4080 and 3.12.9 on jetson-thor; Ray refuses a node whose patch differs → Set ${fields} to "3.12.3".`,
  ],
  [
    'none on one node, and the patch is given',
    observed({ thorx: python() }),
    exact,
    'pass · Python 3.12.3 is on some nodes, and uv has to bring 3.12.3 to thorx',
  ],
  [
    'none anywhere',
    observed(Object.fromEntries(spec.nodes.map(({ name }) => [name, python()]))),
    spec,
    'pass · uv brings Python 3.12 to all nodes',
  ],
  [
    'the file wants two',
    observed(),
    specWith({ environments: { spark: { python: '3.12' }, thor: { python: '3.11' } } }),
    `fail · the file wants Python 3.12 and 3.11; Ray needs one for all nodes → Set ${fields} alike.`,
  ],
  [
    'all built by hand',
    observed(),
    specWith({ environments: { spark: { path: '/v' }, thor: { path: '/v' } } }),
    'pass · all environments were built by hand; their Python is compared later',
  ],
]);

table('equal-platform-per-class', [
  ['equal', observed(), spec, 'pass · each class has one kind of processor'],
  [
    'different classes may differ',
    observed({ 'spark-ea8e': { machine: 'x86_64' }, 'spark-4080': { machine: 'x86_64' } }),
    spec,
    'pass · each class has one kind of processor',
  ],
  [
    'mixed in one class',
    observed({ thorx: { machine: 'x86_64' } }),
    spec,
    'warn · class thor has aarch64 and x86_64 (jetson-thor aarch64 and thorx x86_64); each gets a lock of its own → Set nodes[].hardware if one of them is of another class.',
  ],
]);

const engine = (version: string, name = 'sglang') => ({ engine: { name, version } });
const later = (days: number) =>
  observed({ 'spark-ea8e': { clock: Date.parse(lastChecked) + days * 86_400_000 } });
const noHole = `pass · no known hole is reached, as of ${lastChecked}`;
const tensors =
  'CVE-2026-86793: the weight-update endpoint unpickles tensors when no key is set → Set engine.version to "0.5.19" or newer';

table('advisories', [
  ['today’s versions', observed(), spec, noHole],
  ['the table is 90 days old', later(90), spec, noHole],
  [
    'the table is older',
    later(91),
    spec,
    `warn · the table of known holes is 91 days old (${lastChecked}) → npm install -g windlass@latest`,
  ],
  [
    'Ray below the floor',
    observed(),
    specWith({ ray: { version: '2.53.1' } }),
    'fail · ray 2.53.1 has CVE-2026-27482: anyone who reaches the dashboard stops jobs; the least version is 2.54.0 → Set ray.version to "2.54.0" or newer.',
  ],
  [
    'an engine without a key',
    observed(),
    specWith(engine('0.5.18')),
    `fail · sglang 0.5.18 has ${tensors}, or secrets.apiKey.`,
    'warn · sglang 0.5.18 has CVE-2026-93034: the decoder of data-parallel attention unpickles from the network → Set engine.version to "0.5.21" or newer.',
  ],
  [
    'the same with a key',
    observed(),
    specWith({ ...engine('0.5.18'), secrets: ['apiKey'] }),
    `warn · sglang 0.5.18 has ${tensors}.`,
    'warn · sglang 0.5.18 has CVE-2026-93034: the decoder of data-parallel attention unpickles from the network → Set engine.version to "0.5.21" or newer.',
  ],
  [
    'an argument that opens one',
    observed(),
    specWith({ ...engine('0.5.20'), serving: { extraArguments: ['--enable-dp-attention'] } }),
    'fail · sglang 0.5.20 has CVE-2026-93034: the decoder of data-parallel attention unpickles from the network → Set engine.version to "0.5.21" or newer.',
  ],
  [
    'a post-release is not below its release, a pre-release is',
    observed(),
    specWith({ ...engine('0.5.21rc1') }),
    'warn · sglang 0.5.21rc1 has CVE-2026-93034: the decoder of data-parallel attention unpickles from the network → Set engine.version to "0.5.21" or newer.',
  ],
  [
    'holes of the other engine do not count, and one that came later does not either',
    observed(),
    specWith({ ...engine('0.18.0', 'vllm'), secrets: ['apiKey'] }),
    'fail · vllm 0.18.0 has GHSA-v97p-wpxp-px84: pipeline parallelism hands tokens of one request to another → Set engine.version to "0.21.0" or newer.',
  ],
]);

describe('all checks', () => {
  it('have a name of their own, in kebab-case, and a title', () => {
    const all = [...nodeChecks, ...clusterChecks];
    const names = all.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, title } of all) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(title).toMatch(/^[A-Z].*[^.]$/);
    }
  });

  it('pass on the seed’s cluster as it should be', () => {
    const results = judgeAll(spec, observed());
    expect(results.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
    expect(results).toHaveLength(4 * nodeChecks.length + clusterChecks.length);
  });

  it('judge a cluster file before ids are minted as they judge a spec', () => {
    const [node] = file.nodes;
    const [same] = spec.nodes;
    if (!node || !same) throw new Error('there are nodes');
    expect(judgeAll(file, [{ node, facts: facts() }])).toEqual(
      judgeAll(spec, [{ node: same, facts: facts() }]),
    );
  });

  it('take the home’s id from the head’s own facts while the file knows none', () => {
    const owner = { cluster: 'nemotron', home: 'e'.repeat(16), fence: { startedAt: 1, run: 'r' } };
    const nodes = observed({ thorx: { state: { ...facts().state, identity: null, owner } } });
    const results = judgeAll(
      file,
      nodes.map((each, at) => ({ ...each, node: file.nodes[at] ?? each.node })),
    );
    expect(
      results.filter(({ verdict }) => verdict === 'fail').map(({ check, node }) => [check, node]),
    ).toEqual([['owner', 'thorx']]);
  });

  it('say what to do wherever they fail, for whatever is unknown', () => {
    const nothing = facts({
      machine: null,
      glibc: null,
      systemd: {
        running: false,
        version: null,
        userManager: false,
        linger: null,
        polkit: false,
        unified: false,
      },
      gpus: [],
      hardware: 'other',
      gpuDevicesClosed: null,
      interfaces: [],
      memory: { totalBytes: null, availableBytes: null },
      disks: [],
      listeners: null,
      pythons: [],
      reach: [],
      ownNameAddresses: [],
      state: { ...facts().state, identity: null },
    });
    const results = judgeAll(
      spec,
      spec.nodes.map((node) => ({ node, facts: nothing })),
    );
    const bad = results.filter(({ verdict }) => verdict !== 'pass');
    expect([...new Set(bad.map(({ check }) => check))]).toEqual([
      'platform',
      'systemd',
      'linger',
      'gpu-present',
      'gpu-class',
      'gpu-devices',
      'address-owned',
      'own-name-loopback',
      'port-free',
      'memory-available',
      'root-local',
      'disk-environment',
      'disk-model',
      'index-reachable',
      'hub-reachable',
    ]);
    expect(bad.filter(({ remedy }) => remedy === undefined)).toEqual([]);
  });
});

describe('the table of known holes', () => {
  it('names each hole once, with versions that can be compared', () => {
    expect(new Set(advisories.map(({ id }) => id)).size).toBe(advisories.length);
    expect(Date.parse(lastChecked)).not.toBeNaN();
    for (const { below, since } of advisories) {
      for (const version of [below, since ?? '0']) expect(version).toMatch(/^[0-9]+(\.[0-9]+)*$/);
    }
  });
});
