/** What is right is accepted, literally where the text is free; defaults come from the schema alone. */
import { describe, expect, test } from '@jest/globals';
import { extra, nodes, serving, ssh } from './rows/given.ts';
import type { Given } from './sample.ts';
import { problemsOf, read, sample } from './sample.ts';

describe('what is right', () => {
  const rows: readonly (readonly [title: string, given: Given])[] = [
    ['the sample', {}],
    ['a served name with a slash, spaces, quotes and an emoji (X44)', serving(`servedName: 'a/b "c" 🚀'`)],
    [
      'free text that a shell would obey, as the value of an option (X35)',
      extra('--chat-template', '$(touch /tmp/pwn); `id`'),
    ],
    ['a negative number as the value of an option', extra('--chunked-prefill-size', '-1')],
    ['an option with several values', extra('--cuda-graph-bs', '1', '2', '4', '--enable-metrics')],
    ['a path of a model', { model: 'model: { path: ~/models/a }' }],
    ['a pin (X48)', ssh(`hostKey: "SHA256:${'a'.repeat(43)}"`)],
    [
      'consent with a commit',
      { model: `model: { id: owner/name, trustRemoteCode: true, revision: ${'a'.repeat(40)} }` },
    ],
    [
      'an environment built by hand',
      { more: 'environments: { spark: { path: ~/Projects/sglang/.sglang } }' },
    ],
    ['an exclusion list for NCCL (X33)', { more: 'network: { nccl: { NCCL_SOCKET_IFNAME: "^lo,docker" } }' }],
    [
      'one machine that talks to itself',
      {
        head: 'head: here',
        ...nodes('  - { name: here, address: 127.0.0.1 }'),
        parallel: 'parallel: { pipeline: 1 }',
      },
    ],
    [
      'requirements as pip writes them',
      {
        more: 'environments: { spark: { packages: ["nvpl-blas", "a[b]>=1,<2", "c @ https://x.example/c.whl"] } }',
      },
    ],
  ];

  test.each(rows)('%s', (_, given) => {
    expect(problemsOf(sample(given))).toEqual([]);
  });

  test('a cluster of a thousand nodes (X23)', () => {
    const list = Array.from(
      { length: 1000 },
      (_, i) => `  - { name: n${i}, address: 10.1.${i >> 8}.${i & 255} }`,
    );
    const file = read(
      sample({ head: 'head: n0', ...nodes(...list), parallel: 'parallel: { pipeline: 1000 }' }),
    );
    expect(file.nodes).toHaveLength(1000);
  });

  test('a thousand and one are told the limit (X23)', () => {
    const list = Array.from(
      { length: 1001 },
      (_, i) => `  - { name: n${i}, address: 10.1.${i >> 8}.${i & 255} }`,
    );
    const text = sample({ head: 'head: n0', ...nodes(...list), parallel: 'parallel: { pipeline: 1001 }' });
    expect(problemsOf(text).map((problem) => problem.message)).toEqual(
      ['at most 1,000 nodes', 'pipeline must be a whole number from 1 to 1024, not 1001'].slice(0, 1),
    );
  });

  test('a JSON file (X15)', () => {
    const json = {
      schemaVersion: 1,
      name: 'demo',
      head: 'a',
      nodes: [{ name: 'a', address: '10.0.0.1' }],
      model: { id: 'owner/name' },
      engine: { name: 'sglang', version: '0.5.21' },
      parallel: { pipeline: 1 },
    };
    expect(read(JSON.stringify(json, null, 2)).name).toBe('demo');
  });

  test('defaults come from the schema alone', () => {
    const { launcher, serving: api, ray, temporal, root, nodes: read2 } = read(sample());
    expect({ launcher, api, ray, temporal, root, node: read2[0] }).toMatchInlineSnapshot(`
     {
       "api": {
         "cudaGraphs": true,
         "extraArguments": [],
         "port": 5000,
         "rendezvousPort": 28500,
       },
       "launcher": "ray",
       "node": {
         "address": "10.0.0.25",
         "gpus": 1,
         "hardware": "auto",
         "name": "spark-1",
         "ssh": {},
       },
       "ray": {
         "cpus": 1,
         "objectStoreMegabytes": 2000,
         "port": 6379,
         "version": "2.60.0",
       },
       "root": "~/.local/share/windlass",
       "temporal": {
         "frontPort": 7243,
         "namespace": "windlass",
         "port": 7233,
         "uiPort": 8233,
       },
     }
    `);
  });
});
