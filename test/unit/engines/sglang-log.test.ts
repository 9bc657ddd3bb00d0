/** What the log of a real run means: SGLang 0.5.17 over Ray, two hosts, pipeline parallel 2. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { phases } from '../../../src/engines/engine.ts';
import { explainExit, readPhase } from '../../../src/engines/sglang.ts';
import { muchWork, processorSeconds } from '../../support/processor-time.ts';

const log = (name: string): string => readFileSync(`test/fixtures/sglang/${name}.log`, 'utf8');

describe('readPhase', () => {
  test('goes through the phases of a good start in their order', () => {
    const seen: string[] = [];
    for (const line of log('ray-clean').split('\n')) {
      const phase = readPhase(line);
      if (phase === 'ready') seen.push(phase);
      if (seen.includes('ready')) break;
      if (phase !== null && !seen.includes(phase)) seen.push(phase);
    }
    // The log is silent during the first one.
    expect(['imports', ...seen]).toEqual([...phases]);
  });

  test('stays at placement when a GPU is missing', () => {
    const found = log('ray-one-gpu-short')
      .split('\n')
      .flatMap((line) => readPhase(line) ?? []);
    expect(found.at(-1)).toBe('placement');
  });

  test('takes the whole line, whatever stands around it', () => {
    const coloured =
      '\u001b[36m(SchedulerActor pid=1763)\u001b[0m [2026-11-22 21:04:08 DP0 PP0] Init torch distributed begin.';
    expect(readPhase(coloured)).toBe('rendezvous');
    expect(readPhase('The server is fired up and ready to roll!\r')).toBe('ready');
  });

  test.each([
    '',
    'Fail to set RLIMIT_NOFILE',
    '"GET /health HTTP/1.1" 200 OK',
    'NCCL version 2.28.9+cuda13.0',
  ])('knows nothing of %j', (line) => {
    expect(readPhase(line)).toBeNull();
  });
});

describe('explainExit', () => {
  test.each([
    [
      'bad-flag',
      2,
      [
        "sglang serve: error: argument --kv-cache-dtype: invalid choice: 'fp8' (choose from 'auto', 'fp8_e5m2', 'fp8_e4m3', 'mxfp8', 'bf16', 'bfloat16', 'nvfp4', 'fp4_mx_block16', 'fp4_e2m1')",
      ],
    ],
    ['missing-model', 1, ['the model folder /models/none does not exist']],
    [
      'memory-fraction-too-small',
      -9,
      [
        expect.stringMatching(
          /^ValueError: Loaded weights leave no GPU memory for the KV cache under --mem-fraction-static/,
        ),
      ],
    ],
    [
      'gloo-wrong-interface-rank0',
      -9,
      [expect.stringMatching(/^RuntimeError: \[enforce fail .*Unable to find address for: nope0$/)],
    ],
    [
      'nccl-wrong-interface-rank1',
      -9,
      [
        expect.stringMatching(/NCCL WARN Bootstrap : no socket interface found$/),
        expect.stringMatching(/^RuntimeError: NCCL error: invalid usage/),
      ],
    ],
    [
      'port-in-use',
      -9,
      [
        "ERROR:    [Errno 98] error while attempting to bind on address ('10.0.0.25', 5000): address already in use",
      ],
    ],
  ] as const)('finds the cause in %s', (name, exitCode, evidence) => {
    expect(explainExit(log(name), exitCode)).toEqual(evidence);
  });

  test('the rank that Ray prefixes is heard, the launcher’s echo of it is not', () => {
    const tail = [
      '(SchedulerActor pid=9, ip=10.0.0.27) [2026-11-22 21:10:13 DP0 PP2] Scheduler hit an exception: Traceback (most recent call last):',
      '(SchedulerActor pid=9, ip=10.0.0.27)   File "/venv/x.py", line 1, in f',
      '(SchedulerActor pid=9, ip=10.0.0.27) torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.',
      'ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.',
      '[2026-11-22 21:10:13] Scheduler actor failed to initialize: ActorDiedError',
    ].join('\n');
    expect(explainExit(tail, 1)).toEqual([
      'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.',
    ]);
  });

  test('a kill without a word is called by its likely cause', () => {
    expect(explainExit('[2026-11-22 21:10:13 PP0] Load weight begin. avail mem=138.81 GB\n', 137)).toEqual([
      'Load weight begin. avail mem=138.81 GB',
      'it was killed with SIGKILL, as the kernel does when memory runs out',
    ]);
  });

  test('nothing printed, nothing said', () => {
    expect(explainExit('', 1)).toEqual([]);
  });

  test('few lines, and none is long', () => {
    const tail = Array.from({ length: 50 }, (_, i) => `ValueError: ${i} ${'x'.repeat(1_000)}`).join('\n');
    const evidence = explainExit(tail, 1);
    expect(evidence).toHaveLength(3);
    expect(Math.max(...evidence.map((line) => line.length))).toBeLessThanOrEqual(301);
  });

  test('a tail of one endless line is answered at once', () => {
    const took = processorSeconds(() => {
      explainExit(`[2026-11-22${' '.repeat(200_000)}`, 1);
      explainExit('a.'.repeat(100_000), 1);
      explainExit(`Repo id must be in the form ${": '/".repeat(50_000)}`, 1);
    });
    expect(took).toBeLessThan(muchWork);
  });
});
