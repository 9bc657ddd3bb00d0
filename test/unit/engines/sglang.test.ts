/** The command line of SGLang, its packages, its key file. */
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { EngineInput } from '../../../src/engines/engine.ts';
import { sglangApiKeyConfig, sglangArguments, sglangPackages } from '../../../src/engines/sglang.ts';
import { sglangOptions } from '../../../src/engines/sglang-options.ts';

const input: EngineInput = {
  version: '0.5.21',
  modelPath: '/home/dgx/models/nemotron',
  servedName: 'nvidia/nemotron-3-super',
  address: '10.0.0.25',
  port: 5000,
  pipeline: 4,
  tensor: 1,
  nodes: 4,
  rendezvousPort: 28500,
  cudaGraphs: true,
  trustRemoteCode: false,
  extraArguments: [],
};

describe('sglangArguments', () => {
  test('names every option in full, the rendezvous port too', () => {
    expect(sglangArguments(input).join(' ')).toBe(
      '--model-path /home/dgx/models/nemotron --served-model-name nvidia/nemotron-3-super ' +
        '--host 10.0.0.25 --port 5000 --tp-size 1 --pp-size 4 --nnodes 4 --use-ray --nccl-port 28500',
    );
  });

  test('the seed’s Nemotron, corrected', () => {
    const seed = sglangArguments({
      ...input,
      memoryFraction: 0.85,
      maxRunningRequests: 512,
      kvCacheDtype: 'fp8_e4m3',
      cudaGraphs: false,
      extraArguments: ['--dtype', 'auto', '--chunked-prefill-size', '8192'],
      configFile: '/home/dgx/.local/share/windlass/secrets/engine.yaml',
    });
    expect(seed.slice(15)).toEqual([
      ...['--nccl-port', '28500'],
      ...['--mem-fraction-static', '0.85', '--max-running-requests', '512', '--kv-cache-dtype', 'fp8_e4m3'],
      ...['--cuda-graph-backend-decode=disabled', '--cuda-graph-backend-prefill=disabled'],
      ...['--dtype', 'auto', '--chunked-prefill-size', '8192'],
      ...['--config', '/home/dgx/.local/share/windlass/secrets/engine.yaml'],
    ]);
  });

  test.each([
    ['0.5.16', ['--disable-cuda-graph']],
    ['0.5.15.post1', ['--disable-cuda-graph']],
    ['0.5.17', ['--cuda-graph-backend-decode=disabled', '--cuda-graph-backend-prefill=disabled']],
    ['0.6.0', ['--cuda-graph-backend-decode=disabled', '--cuda-graph-backend-prefill=disabled']],
  ])('switches graphs off as %s wants it', (version, options) => {
    expect(sglangArguments({ ...input, version, cudaGraphs: false }).slice(17)).toEqual(options);
  });

  test('writes only options that SGLang has', () => {
    const all = sglangArguments({
      ...input,
      memoryFraction: 0.5,
      contextLength: 1024,
      maxRunningRequests: 1,
      kvCacheDtype: 'auto',
      cudaGraphs: false,
      trustRemoteCode: true,
      configFile: '/c',
    });
    const options = all.filter((each) => each.startsWith('--')).map((each) => each.split('=')[0] ?? '');
    expect(options.filter((option) => !sglangOptions.has(option))).toEqual([]);
    expect(all).toContain('--trust-remote-code');
  });

  test('passes hostile text on as one literal argument', () => {
    const text = '$(touch /tmp/pwn); `id` "x" \'y\' | sh';
    expect(sglangArguments({ ...input, servedName: text })[3]).toBe(text);
  });
});

test('sglangPackages pins the engine and Ray', () => {
  expect(sglangPackages({ version: '0.5.21', rayVersion: '2.60.0', extra: ['nvpl-blas'] })).toEqual([
    'sglang==0.5.21',
    'ray==2.60.0',
    'nvpl-blas',
  ]);
});

describe('sglangApiKeyConfig', () => {
  test.each(['sk-123', 'a"b\\c', "#it's:{yaml}", 'a'.repeat(200)])('keeps the key %j as it is', (key) => {
    expect(parse(sglangApiKeyConfig(key))).toEqual({ 'api-key': key });
  });

  test.each(['', '-x', 'a b', 'a\nb', 'a\u0000', 'schlüssel'])(
    'refuses the key %j without showing it',
    (key) => {
      expect(() => sglangApiKeyConfig(key)).toThrow(expect.objectContaining({ code: 'SECRET_UNREADABLE' }));
      expect(() => sglangApiKeyConfig(key)).toThrow(/printable ASCII/);
    },
  );
});
