/**
 * What comes from nodes, from the Temporal service and from engines may be broken or hostile: a loader gives a value of
 * its type or our own error, never another, and needs little time for it.
 */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseTable } from '../../../activities/listening.ts';
import { readLockedPackages } from '../../../activities/lock-file.ts';
import { readProgress } from '../../../src/cluster/act-progress.ts';
import { parseFacts } from '../../../src/cluster/facts/parse.ts';
import { readActivityId } from '../../../src/cluster/names.ts';
import { explainExit, readPhase } from '../../../src/engines/sglang-log.ts';
import { WindlassError } from '../../../src/errors.ts';
import { describeProgress } from '../../../src/output/live-board.ts';
import { parseLook } from '../../../src/placing/look.ts';
import { parseKnownHosts } from '../../../src/ssh/known-hosts.ts';
import { readSpec } from '../../../workflows/spec.ts';
import { muchWork, processorSeconds } from '../../support/processor-time.ts';
import { runs } from '../../support/property.ts';
import { spec } from '../checks/cluster.ts';
import { answerOf, envelope, fixture } from '../facts/answer.ts';
import { hostile } from '../output/hostile.ts';

/** Pieces that mean something to a terminal, to JSON, to a prototype, or to a number. */
const piece = fc.oneof(
  fc.constantFrom(
    ...hostile.map(([, text]) => text),
    ...[
      '\n',
      '== end 0\n',
      '{"__proto__":{"x":1}}',
      '[[[[',
      '1e999',
      '-1',
      'NaN',
      '[N/A]',
      '99999999999999999999',
    ],
    ...['/../', '\0', 'null', '""', '0x10', ' '.repeat(3_000), '('.repeat(3_000), 'a'.repeat(3_000)],
  ),
  fc.string({ unit: 'binary' }),
);

/** A text with a few pieces put in and others left out. */
const mutated = (text: string) =>
  fc
    .array(fc.tuple(fc.nat({ max: text.length }), fc.nat({ max: 40 }), piece), { minLength: 1, maxLength: 4 })
    .map((edits) =>
      edits.reduce((now, [at, drop, put]) => now.slice(0, at) + put + now.slice(at + drop), text),
    );

/** What a call gives, or the code of our own error; anything else is thrown on. */
function outcome<T>(call: () => T): T | string {
  let found: T | string = 'none';
  const took = processorSeconds(() => {
    try {
      found = call();
    } catch (error) {
      if (!(error instanceof WindlassError)) throw error;
      found = error.code;
    }
  });
  expect(took).toBeLessThan(muchWork);
  expect(({} as { x?: unknown }).x).toBeUndefined();
  return found;
}

describe('facts of a node', () => {
  const frames = ['spark', 'thor'] as const;

  test.each(frames)('of a %s, with any one frame changed, are facts or unreadable', (name) => {
    const whole = fixture(name);
    const names = Object.keys(whole);
    const changed = fc.constantFrom(...names).chain((frame) => {
      const content = [whole[frame] ?? ''].flat().join('\n');
      return fc.oneof(mutated(content), piece).map((text) => answerOf({ ...whole, [frame]: text }));
    });
    fc.assert(
      fc.property(changed, (answer) => {
        const found = outcome(() => parseFacts(answer));
        if (typeof found === 'string') expect(found).toBe('FACT_UNREADABLE');
        else expect(Number.isFinite(found.clock)).toBe(true);
      }),
      runs(300),
    );
  });

  test('as any bytes are unreadable, and the error is one harmless line', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3_000 }), piece, (bytes, around) => {
        for (const answer of [around, envelope(Buffer.from(bytes)), around + envelope(Buffer.from(bytes))]) {
          try {
            parseFacts(answer);
          } catch (error) {
            if (!(error instanceof WindlassError)) throw error;
            expect(error.code).toBe('FACT_UNREADABLE');
            expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
          }
        }
      }),
      runs(200),
    );
  });
});

test('a look at what is placed is a look or unreadable', () => {
  const look = `home /home/dgx\nroot /home/dgx/.local/share/windlass\nmachine aarch64\nlibc glibc 2.39
identity {"id":"0123456789abcdef","mintedAt":1}\npayload 0.1.0-0123456789ab\n${'a'.repeat(64)}  /x\nmode 600 /x
units active inactive\ncertificate /home/ca/ca.crt\n-----BEGIN CERTIFICATE-----\n`;
  fc.assert(
    fc.property(mutated(look), (answer) => {
      const found = outcome(() => parseLook(answer));
      if (typeof found === 'string') expect(found).toBe('FACT_UNREADABLE');
    }),
    runs(500),
  );
});

describe('the input of a workflow', () => {
  /** Any value in the place of any part of a spec. */
  const paths = (value: unknown, path: readonly string[] = []): string[][] =>
    typeof value === 'object' && value !== null
      ? [[...path], ...Object.entries(value).flatMap(([key, below]) => paths(below, [...path, key]))]
      : [[...path]];
  const put = (value: unknown, [key, ...rest]: readonly string[], what: unknown): unknown => {
    if (key === undefined) return what;
    if (Array.isArray(value))
      return value.map((each, at) => (String(at) === key ? put(each, rest, what) : each));
    const record = value as Record<string, unknown>;
    return { ...record, [key]: put(record[key], rest, what) };
  };

  test('is a spec, or its problems', () => {
    fc.assert(
      fc.property(fc.constantFrom(...paths(spec)), fc.oneof(fc.jsonValue(), piece), (path, what) => {
        try {
          expect(readSpec(put(spec, path, what)).schemaVersion).toBe(1);
        } catch (error) {
          expect(error).toMatchObject({ type: 'SPEC_INVALID', nonRetryable: true });
          expect((error as Error).message.length).toBeLessThan(2_000);
        }
      }),
      runs(300),
    );
  });

  test('of any other form is told by its problems', () => {
    fc.assert(
      fc.property(fc.anything(), (what) => {
        expect(() => readSpec(what)).toThrow(/the workflow input is not a cluster spec/);
      }),
      runs(300),
    );
  });
});

describe('what an activity says of itself', () => {
  const heartbeat = JSON.stringify({ v: 1, phase: 'weights', bytes: 12, totalBytes: 24, packages: 1 });

  test('can be shown, or is passed over', () => {
    const sent = fc.oneof(
      mutated(heartbeat),
      fc.json(),
      fc
        .record(
          Object.fromEntries(
            ['phase', 'bytes', 'totalBytes', 'packages', 'totalPackages'].map((name) => [
              name,
              fc.jsonValue(),
            ]),
          ),
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(sent, (text) => {
        const progress = readProgress(Buffer.from(text));
        expect(typeof (progress === null ? '' : describeProgress(progress))).toBe('string');
      }),
      runs(600),
    );
    expect(readProgress(Buffer.from(heartbeat))).toMatchObject({ bytes: 12, phase: 'weights' });
    expect(readProgress(Buffer.from(JSON.stringify({ phase: 'x'.repeat(100_000) })))).toBeNull();
  });

  test('and the id of an activity, which names its node and step, may be anything', () => {
    fc.assert(
      fc.property(piece, (id) => {
        expect(typeof outcome(() => readActivityId(id))).not.toBe('undefined');
      }),
      runs(200),
    );
  });
});

describe('logs and tables', () => {
  const log = `[2026-11-20 10:00:00 TP0] Load weight begin. avail mem=100 GB
(SchedulerActor pid=123) Traceback (most recent call last):
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB
[rank1]: RuntimeError: NCCL error`;

  test('the end of an engine is told in a few short lines, whatever it logged', () => {
    fc.assert(
      fc.property(fc.oneof(mutated(log), fc.string({ unit: 'binary' })), fc.integer(), (text, exitCode) => {
        const lines = outcome(() => explainExit(text, exitCode));
        expect(lines.length).toBeLessThanOrEqual(5);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(400);
        for (const line of text.split('\n')) outcome(() => readPhase(line));
      }),
      runs(300),
    );
  });

  test.each<[string, string, (text: string) => unknown]>([
    [
      'sockets of the kernel',
      '  sl  local_address rem_address   st tx_queue\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1',
      parseTable,
    ],
    [
      'known hosts',
      `host ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA\n|1|abc=|def= ssh-rsa AAAA\n@revoked * x y`,
      parseKnownHosts,
    ],
  ])('%s are read or passed over', (_what, text, read) => {
    fc.assert(
      fc.property(mutated(text), (changed) => {
        expect(Array.isArray(outcome(() => read(changed)))).toBe(true);
      }),
      runs(200),
    );
  });

  test('a lock has packages, or is unreadable', () => {
    const lock = `lock-version = "1.0"\n[[packages]]\nname = "torch"\nversion = "2.13.0"
wheels = [{ url = "https://x/torch.whl", size = 12, hashes = { sha256 = "ab" } }]\n`;
    fc.assert(
      fc.property(fc.oneof(mutated(lock), piece), (text) => {
        const found = outcome(() => readLockedPackages(text));
        if (typeof found === 'string') expect(found).toBe('FACT_UNREADABLE');
      }),
      runs(300),
    );
    expect(readLockedPackages(lock)).toEqual([{ name: 'torch', version: '2.13.0', bytes: 12 }]);
  });
});
