/** Arguments that a person wrote, against what SGLang knows. */
import { describe, expect, test } from '@jest/globals';
import { sglang } from '../../../src/engines/sglang.ts';
import { ownedOptions, refusedOptions, sglangOptions } from '../../../src/engines/sglang-options.ts';

const said = (...extra: string[]): string[] =>
  sglang.checkArguments(extra).map(({ index, message }) => `${index}: ${message}`);

describe('right', () => {
  test.each([
    [[]],
    [['--enable-metrics']],
    [['--chunked-prefill-size', '8192', '--dtype', 'auto']],
    [['--chunked-prefill-size=8192']],
    [['--chunked-prefill-size', '-1']],
    [['--cuda-graph-bs', '1', '2', '4', '--enable-metrics']],
    [['--load-format', 'dummy']],
    [['--log-level', 'debug']],
    [['--json-model-override-args', '{"a": "b c"}']],
    [['--quantization', 'modelopt_fp4', '--attention-backend', 'flashinfer', '--reasoning-parser', 'qwen3']],
  ])('%j', (extra) => {
    expect(said(...extra)).toEqual([]);
  });
});

describe('wrong', () => {
  const rows: readonly (readonly [extra: readonly string[], says: readonly string[]])[] = [
    [
      ['8192'],
      ['0: is not an option; an option and its value are two entries, and options begin with two dashes'],
    ],
    [
      ['-h'],
      ['0: is not an option; an option and its value are two entries, and options begin with two dashes'],
    ],
    [['--dtype auto'], ['0: has a space in it; an option and its value are two entries of the list']],
    [['--dtype'], ['0: --dtype needs a value, as the next entry of the list']],
    [['--dtype', '--enable-metrics'], ['0: --dtype needs a value, as the next entry of the list']],
    [['--cuda-graph-bs'], ['0: --cuda-graph-bs needs a value, as the next entry of the list']],
    [['--enable-metrics=true'], ['0: --enable-metrics takes no value']],
    [
      ['--enable-metrics', 'true'],
      ['1: is not an option; an option and its value are two entries, and options begin with two dashes'],
    ],
    [['--pp', '4'], ['0: --pp is short for --pp-size, which is set by this program; use parallel.pipeline']],
    [['--tp', '4'], ['0: --tp is short for --tp-size, which is set by this program; use parallel.tensor']],
    [['--chunked', '1'], ['0: --chunked is an abbreviation; write --chunked-prefill-size in full']],
    [['--'], ['0: engine.sglang has no option --']],
    [['--constructor', 'x'], ['0: engine.sglang has no option --constructor']],
    [['--max-model-len', '1'], ['0: engine.sglang has no option --max-model-len; use serving.contextLength']],
    [
      ['--load-format', 'gguf'],
      [
        '0: --load-format must be auto, safetensors, fastsafetensors, layered, sharded_state, dummy: other formats can run code while they are read',
      ],
    ],
    [['--log-level', 'error'], ['0: --log-level must be info, debug: readiness is read from the log']],
    [
      ['--dp-size', '2'],
      [
        '0: --dp-size starts more ranks than pipeline × tensor; data parallelism is not brought up by this version; it is refused',
      ],
    ],
    [
      ['--api-key', 'sk-1'],
      ['0: --api-key is set by this program; remove it from extraArguments and use secrets.apiKey'],
    ],
    [
      ['--nope', 'x', '--nor-this'],
      ['0: engine.sglang has no option --nope', '2: engine.sglang has no option --nor-this'],
    ],
  ];

  test.each(rows)('%j', (extra, says) => {
    expect(said(...extra)).toEqual(says);
  });

  test.each(Object.keys(ownedOptions))('%s is set by this program', (option) => {
    expect(said(option, 'x')[0]).toContain('is set by this program');
    expect(said(`${option}=x`)[0]).toContain('is set by this program');
  });

  test.each(Object.keys(refusedOptions))('%s is refused', (option) => {
    expect(said(option)[0]).toContain('it is refused');
  });

  test('values are never shown', () => {
    expect(said('--nope=hf_abcdefghijklmnop', '--api-key', 'hf_abcdefghijklmnop').join()).not.toContain(
      'hf_',
    );
  });
});

describe('the table', () => {
  test('owned and refused options are options of SGLang', () => {
    const known = [...Object.keys(ownedOptions), ...Object.keys(refusedOptions)];
    expect(known.filter((option) => !sglangOptions.has(option))).toEqual([]);
  });

  test('has no option twice', () => {
    const names = [...sglangOptions.keys()];
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^--[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name))).toEqual([]);
  });
});
