import { describe, expect, it } from '@jest/globals';
import { factsArguments, indexesOf } from '../../../src/cluster/facts/arguments.ts';
import { spec, specWith } from '../checks/cluster.ts';

const environments = {
  spark: { index: 'https://a/simple', extraIndexes: ['https://kernels/'] },
  thor: { index: 'https://b/simple', findLinks: ['https://wheels/', '/srv/wheels'] },
};

const servers = (nodes: unknown, node: string) =>
  factsArguments(specWith({ environments, nodes }), node).filter((each) => each.startsWith('https://'));

describe('factsArguments', () => {
  it('asks about root, the ports of the head, the index and the hub', () => {
    expect(factsArguments(spec, 'spark-ea8e')).toEqual([
      '--root',
      '~/.local/share/windlass',
      '--ports',
      '6379,6380,6381,6382,6383,6384,6385,5000,28500,7233,8233,7243',
      '--reach',
      'https://pypi.org/simple',
      '--reach',
      'https://huggingface.co',
    ]);
  });

  it('asks about the folder of a model given by path, and about no hub then', () => {
    const args = factsArguments(specWith({ model: { path: '/models/m' } }), 'thorx');
    expect(args).toEqual(expect.arrayContaining(['--model-dir', '/models/m']));
    expect(args).not.toContain('https://huggingface.co');
  });

  it('tries the servers of all classes where the class is not known, else of that class', () => {
    expect(servers(spec.nodes, 'thorx')).toEqual([
      'https://a/simple',
      'https://kernels/',
      'https://b/simple',
      'https://wheels/',
      // A class without an entry has the default.
      'https://pypi.org/simple',
      'https://huggingface.co',
    ]);
    const known = spec.nodes.map((node) => ({ ...node, hardware: 'thor' }));
    expect(servers(known, 'd'.repeat(16))).toEqual([
      'https://b/simple',
      'https://wheels/',
      'https://huggingface.co',
    ]);
  });

  it('needs no index for an environment built by hand', () => {
    expect(indexesOf(specWith({ environments: { spark: { path: '/venv' } } }), 'spark')).toEqual([]);
    expect(indexesOf(spec, 'other')).toEqual(['https://pypi.org/simple']);
  });
});
