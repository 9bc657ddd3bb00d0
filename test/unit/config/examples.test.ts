import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { loadClusterFile } from '../../../src/config/load.ts';

const examples = readdirSync('examples').filter((name) => name.endsWith('.yaml'));

describe('examples', () => {
  test('are the five that are promised', () => {
    expect(examples.toSorted()).toEqual([
      'lab.yaml',
      'nemotron-2-sparks.yaml',
      'nemotron-4-nodes.yaml',
      'one-node.yaml',
      'qwen-4-nodes.yaml',
    ]);
  });

  test.each(examples)('%s is right', async (name) => {
    const { file } = await loadClusterFile(`examples/${name}`);
    expect(file.nodes.map((node) => node.name)).toContain(file.head);
  });

  test.each(examples)(
    '%s allows no code of the model, and opens the API to no other network',
    async (name) => {
      const { file } = await loadClusterFile(`examples/${name}`);
      expect(file.model.trustRemoteCode).toBe(false);
      expect(file.serving.address).toBeUndefined();
    },
  );

  test('the seed’s four machines stand at their addresses', async () => {
    const { file } = await loadClusterFile('examples/nemotron-4-nodes.yaml');
    expect(file.nodes.map(({ name, address }) => `${name} ${address}`)).toEqual([
      'spark-ea8e 10.0.0.25',
      'spark-4080 10.0.0.22',
      'jetson-thor 10.0.0.27',
      'thorx 10.0.0.26',
    ]);
    expect(file.head).toBe('spark-ea8e');
  });
});
