/** Whatever the bytes are: nothing but our own error, within a second, and every problem points into the file. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseDocument } from 'yaml';
import { parseClusterFile } from '../../../src/config/load.ts';
import type { Problem } from '../../../src/config/problems.ts';
import { encode, problemsIn, sample } from './sample.ts';
import { runs } from '../../support/property.ts';
import { muchWork, processorSeconds } from '../../support/processor-time.ts';

/** Enough to meet every kind of mistake; the file is read in a millisecond or two. */
const often = runs(400);

const whole = `${sample()}serving:
  port: 5000
  servedName: demo
  extraArguments: [--dtype, auto]
environments:
  spark: { python: "3.12", variables: { A: "1" } }
network: { nccl: { NCCL_DEBUG: WARN } }
secrets: { apiKey: { fromEnv: KEY } }
`;

/** Pieces that mean something to YAML, to the schema, or to a terminal. */
const spice = fc.constantFrom(
  ...[
    '- ',
    '? ',
    ': ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    "'",
    '&a ',
    '*a',
    '!!x ',
    '|',
    '>',
    '#',
    '%',
    '---',
    '...',
  ],
  ...[
    '\n',
    '\t',
    '\r',
    '\u0000',
    '\u001b[2J',
    '\u202e',
    '\ufeff',
    '~',
    '1e3',
    '0x16',
    '.nan',
    '<<: ',
    '__proto__: ',
  ],
  ...['nodes:', 'port:', '10.0.0.25', '127.0.0.1', 'spark-1', '--host', 'hf_abcdefghijklmnopqrst'],
);

const mutated = fc
  .array(fc.tuple(fc.nat({ max: whole.length }), fc.nat({ max: 12 }), fc.oneof(spice, fc.string())), {
    minLength: 1,
    maxLength: 4,
  })
  .map((edits) =>
    edits.reduce((text, [at, drop, put]) => text.slice(0, at) + put + text.slice(at + drop), whole),
  );

/** Also throws, by `problemsIn`, when anything but our own error was thrown. */
function expectSound(bytes: Uint8Array): void {
  let problems: ReturnType<typeof problemsIn> = [];
  const took = processorSeconds(() => {
    problems = problemsIn(bytes);
  });
  expect(took).toBeLessThan(muchWork);
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const lines = text.split('\n').length;
  for (const problem of problems) {
    expect(problem.message).not.toBe('');
    expect(problem.line === null || (problem.line >= 1 && problem.line <= lines)).toBe(true);
    expect(exists(text, problem)).toBe(true);
    expect(`${problem.path}${problem.message}`.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
}

/** Read a path as it is shown, and look it up with the parser's own means. */
function exists(text: string, { path, line }: Problem): boolean {
  if (path === '' || line === null) return true;
  const steps = [...path.matchAll(/(?:^|\.)([A-Za-z_][\w-]*)|\[(\d+)\]|\[("(?:\\.|[^"\\])*")\]/g)].map(
    ([, key, index, quoted]) => key ?? (quoted === undefined ? Number(index) : unescape(quoted)),
  );
  let here: unknown = parseDocument(text, { uniqueKeys: false, logLevel: 'silent' }).toJS();
  for (const step of steps) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return false;
    here = (here as Readonly<Record<string | number, unknown>>)[step];
  }
  return true;
}

/** From the shown form of a key to the key: the escapes of JSON, and those for what an eye cannot see. */
const unescape = (quoted: string): string =>
  JSON.parse(
    quoted.replaceAll(/\\(?:u\{([0-9A-F]+)\}|.)/g, (escape, hex: string | undefined) =>
      hex === undefined
        ? escape
        : JSON.stringify(String.fromCodePoint(Number.parseInt(hex, 16))).slice(1, -1),
    ),
  ) as string;

describe('the loader', () => {
  test('answers any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), expectSound), often);
  });

  test('answers any text', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(spice, fc.string({ unit: 'binary' })), { maxLength: 60 }), (parts) => {
        expectSound(encode(parts.join('')));
      }),
      often,
    );
  });

  test('answers a file with some mistakes', () => {
    fc.assert(
      fc.property(mutated, (text) => {
        expectSound(encode(text));
      }),
      runs(800),
    );
  });

  test('answers any value in any place', () => {
    const value = fc.json({ maxDepth: 2 });
    const key = fc.constantFrom(
      'name',
      'nodes',
      'model',
      'serving',
      'environments',
      'secrets',
      'parallel',
      'root',
    );
    fc.assert(
      fc.property(key, value, (name, json) => {
        expectSound(
          encode(
            `${whole.replaceAll(new RegExp(`^${name}:.*\\n(?:[ ].*\\n)*`, 'gm'), '')}${name}: ${json}\n`,
          ),
        );
      }),
      often,
    );
  });

  test('says the same twice', () => {
    fc.assert(
      fc.property(mutated, (text) => {
        expect(problemsIn(encode(text))).toEqual(problemsIn(encode(text)));
      }),
      runs(50),
    );
  });
});

test('the file that is mutated is right', () => {
  expect(parseClusterFile('cluster.yaml', encode(whole)).file.serving.servedName).toBe('demo');
});
