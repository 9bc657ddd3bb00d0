/** What a cluster file is as a file: there, small, text, YAML, and one document. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadClusterFile, parseClusterFile } from '../../../src/config/load.ts';
import { encode, problemsIn, problemsOf, sample } from './sample.ts';
import { muchWork, processorSeconds } from '../../support/processor-time.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-file-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The whole message for a path, with the test's own folder left out. */
const messageFor = async (path: string): Promise<string> => {
  const error = await loadClusterFile(path).then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: 'CLUSTER_FILE_INVALID', exitCode: 2 });
  return (error as Error).message.replaceAll(folder, 'FOLDER');
};

describe('the file', () => {
  test('is missing (X01)', async () => {
    expect(await messageFor(join(folder, 'none.yaml'))).toBe(
      'FOLDER/none.yaml: does not exist (looked in FOLDER)',
    );
  });

  test('is a directory', async () => {
    expect(await messageFor(folder)).toBe('FOLDER: is a directory');
  });

  test('is a named pipe that nobody writes to', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(await messageFor(pipe)).toBe('FOLDER/pipe: is not a regular file');
  });

  test('is 300 MB (X04)', async () => {
    const path = join(folder, 'large.yaml');
    const file = await open(path, 'w');
    await file.truncate(300 * 1024 * 1024);
    await file.close();
    const before = process.memoryUsage.rss();
    expect(await messageFor(path)).toBe(
      'FOLDER/large.yaml: is 300 MiB; a cluster file may be at most 256 KiB',
    );
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 1024 * 1024);
  });

  test('is right, and is loaded with the places of its fields', async () => {
    const path = join(folder, 'right.yaml');
    await writeFile(path, sample());
    const { file, source } = await loadClusterFile(path);
    expect(file.nodes.map((node) => node.name)).toEqual(['spark-1', 'spark-2']);
    expect(source.lineOf(['nodes', 1, 'address'])).toBe(8);
    expect(source.lineOf(['serving', 'port'])).toBe(1);
  });

  test('has a name that would act on a terminal', () => {
    expect(() => parseClusterFile('a\u001b[2J.yaml', encode('a'))).toThrow('a\\u{1B}[2J.yaml:1: must be');
  });
});

describe('the bytes', () => {
  const rows: readonly (readonly [title: string, bytes: Uint8Array, line: number | null, says: string])[] = [
    ['are none (X03)', encode(''), null, 'is empty. The smallest one:'],
    ['are comments only (X03)', encode('# nothing\n# at all\n'), null, 'is empty. The smallest one:'],
    ['are UTF-16 of Windows', new Uint8Array(Buffer.from(`\ufeff${sample()}`, 'utf16le')), 1, 'is UTF-16'],
    ['are UTF-16 without a mark', new Uint8Array(Buffer.from(sample(), 'utf16le')), 1, 'is UTF-16'],
    ['begin with a byte-order mark', encode(`\ufeff${sample()}`), 1, 'begins with a byte-order mark'],
    [
      'are not UTF-8',
      Buffer.concat([encode('name: demo\n'), Buffer.from([0xff, 0xc3]), encode('\n')]),
      2,
      'holds bytes that are not UTF-8',
    ],
  ];

  test.each(rows)('%s', (_, bytes, line, says) => {
    expect(problemsIn(bytes)).toEqual([{ line, path: '', message: expect.stringContaining(says) }]);
  });

  test('the smallest example that is shown is itself right', () => {
    const [problem] = problemsIn(encode(''));
    const example = problem?.message.split('\n').slice(1).join('\n') ?? '';
    expect(problemsOf(example)).toEqual([]);
  });
});

describe('the YAML', () => {
  const bomb = [
    'a: &a [x, x]',
    ...['b', 'c', 'd'].map((key, i) => `${key}: &${key} [*${'abc'[i]}, *${'abc'[i]}]`),
  ];
  const rows: readonly (readonly [title: string, text: string, line: number, says: string])[] = [
    ['has an alias bomb (X05)', bomb.join('\n'), 1, 'anchors and aliases are not used here'],
    ['has an anchor (X05)', sample({ more: 'root: &r /srv/windlass' }), 12, 'anchors and aliases'],
    ['has a merge key (X05)', sample({ more: 'serving: { <<: { port: 1 } }' }), 12, 'unknown key ["<<"]'],
    ['has a JavaScript tag (X10)', sample({ more: 'root: !!js/function "x"' }), 12, 'tags are not allowed'],
    ['has a binary tag (X10)', sample({ more: 'root: !!binary aGk=' }), 12, 'tags are not allowed'],
    ['has a tag of its own (X10)', sample({ more: 'root: !mine x' }), 12, 'tags are not allowed'],
    ['has a directive', `%YAML 1.1\n---\n${sample()}`, 1, 'directives are not used here'],
    ['has two documents', `${sample()}---\n${sample()}`, 12, 'holds more than one document'],
    ['has a list as a key', `? [a, b]\n: c\n${sample()}`, 1, 'a key must be a word'],
    ['is indented by tabs (X07)', 'nodes:\n\t- name: a\n', 2, 'Tabs are not allowed as indentation'],
    ['is indented badly (X07)', 'nodes:\n  - name: a\n address: b\n', 3, 'must start at the same column'],
    ['has a quote that never closes (X07)', 'name: "demo\nhead: a\n', 2, 'Missing closing "quote'],
    ['is text', 'just some words', 1, 'must be a mapping'],
  ];

  test.each(rows)('%s', (_, text, line, says) => {
    expect(problemsOf(text)).toContainEqual(
      expect.objectContaining({ line: expect.anything(), message: expect.stringContaining(says) }),
    );
    const found = problemsOf(text).find((problem) => problem.message.includes(says));
    expect(found?.line).toBe(line);
  });

  test('has a key twice (X09)', () => {
    const text = sample({ more: 'nodes:\n  - { name: spark-1, address: 10.0.0.25 }' });
    expect(problemsOf(text)).toContainEqual({
      line: 12,
      path: 'nodes',
      message: 'nodes is given twice (lines 4 and 12)',
    });
  });

  test('has a key three times, deeper (X09)', () => {
    const text = sample({ more: 'serving:\n  port: 5000\n  port: 5001\n  port: 5002' });
    expect(problemsOf(text)).toContainEqual({
      line: 15,
      path: 'serving.port',
      message: 'port is given 3 times (lines 13, 14 and 15)',
    });
  });

  test('is shown with a caret where it breaks (X07)', () => {
    expect(() => parseClusterFile('cluster.yaml', encode('name: demo\nnodes:\n\t- name: a\n')))
      .toThrowErrorMatchingInlineSnapshot(`
     "cluster.yaml:3: Tabs are not allowed as indentation
       \\t- name: a
       ^"
    `);
  });

  test('shows no secret beside the caret', () => {
    const problems = problemsOf('secrets: { huggingFaceToken: hf_abcdefghijklmnopqrst ]\n');
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain('hf_abc');
  });
});

describe('a file made to take long', () => {
  const rows: readonly (readonly [title: string, text: string, says: string])[] = [
    ['20,000 brackets (X06)', '['.repeat(20_000), 'is nested too deeply'],
    ['brackets that strings seem to close', '[ "]", '.repeat(30_000), 'is nested too deeply'],
    ['braces', '{a: '.repeat(20_000), 'is nested too deeply'],
    ['dashes', '- '.repeat(100_000), 'is nested too deeply'],
    ['question marks', '? '.repeat(100_000), 'is nested too deeply'],
    [
      'steps to the right',
      Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      'is nested too deeply',
    ],
    ['commas', `[${','.repeat(250_000)}]`, 'YAML tokens'],
    ['quotes', '"'.repeat(250_000), 'YAML tokens'],
    ['empty keys', 'a:\n'.repeat(80_000), 'YAML tokens'],
    ['lines of nothing', ' \n'.repeat(130_000), 'YAML tokens'],
    ['unknown keys', Array.from({ length: 7_000 }, (_, i) => `key${i}: 1`).join('\n'), 'unknown key key7'],
    [
      'one key again and again',
      'name: a\n'.repeat(7_000),
      'name is given 7000 times (lines 1, 2, 3, 4, 5, 6, … and 7000)',
    ],
    ['wrong nodes', `nodes:\n${'- a: 1\n'.repeat(1_000)}`, 'unknown key a'],
    ['one endless word', 'a'.repeat(250_000), 'must be a mapping'],
  ];

  test.each(rows)('%s', (_, text, says) => {
    let problems: ReturnType<typeof problemsOf> = [];
    const took = processorSeconds(() => {
      problems = problemsOf(text);
    });
    expect(problems.map((problem) => problem.message)).toContainEqual(expect.stringContaining(says));
    expect(took).toBeLessThan(muchWork);
  });

  test('more problems than anybody reads are counted', () => {
    const text = Array.from({ length: 500 }, (_, i) => `key${i}: 1`).join('\n');
    expect(() => parseClusterFile('cluster.yaml', encode(text))).toThrow(/and \d+ more problems$/);
  });
});
