import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { answer, explainAnswer } from '../../../src/commands/answer.ts';
import { cancel } from '../../../src/commands/cancel.ts';
import type { CommandContext } from '../../../src/commands/context.ts';
import { waitLines } from '../../../src/commands/status.ts';
import { captured } from '../output/captured.ts';

let folder: string;
let file: string;

/** Nothing could be reached at these addresses: what is refused here was refused before anything was contacted. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-answer-'));
  file = join(folder, 'cluster.yaml');
  await writeFile(
    file,
    `schemaVersion: 1
name: lab
head: spark-ea8e
nodes:
  - { name: spark-ea8e, address: 192.0.2.1 }
  - { name: thorx, address: 192.0.2.2 }
model: { id: Qwen/Qwen3-8B }
engine: { name: sglang, version: '0.5.21' }
parallel: { pipeline: 2 }
`,
  );
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

function context(): CommandContext {
  const { output } = captured();
  return { output, env: {}, cacheDir: folder, signal: new AbortController().signal, isInteractive: false };
}

describe.each(['retry', 'approve'] as const)('%s', (kind) => {
  test.each([
    ['thorz', 'thorz is not a node of lab; did you mean thorx?'],
    ['jetson', 'jetson is not a node of lab; its nodes are spark-ea8e, thorx'],
  ])('refuses the node %s before anything is contacted', async (node, message) => {
    await expect(answer(kind, file, node, context())).rejects.toMatchObject({
      code: 'USAGE',
      exitCode: 2,
      message,
    });
  });

  test('refuses a file that is not there', async () => {
    const path = join(folder, 'none.yaml');
    await expect(answer(kind, path, undefined, context())).rejects.toMatchObject({ exitCode: 2 });
  });
});

test('cancel refuses a file that is not there', async () => {
  await expect(cancel(join(folder, 'none.yaml'), context())).rejects.toMatchObject({ exitCode: 2 });
});

const waits = [
  {
    node: 'thorx',
    step: 'check',
    code: 'CHECKS_FAILED' as const,
    since: 0,
    what: 'thorx · check owner: the node belongs to the cluster other\n  windlass down --purge',
    approval: 'take the node from the cluster other, which is gone for good',
  },
];

describe('what was answered', () => {
  test('is told by its first line', () => {
    expect(explainAnswer('retry', 'lab', waits)).toMatchInlineSnapshot(`
     "lab: asked to look again now at
       thorx · check owner: the node belongs to the cluster other"
    `);
  });

  test('is told with what an approval means', () => {
    expect(explainAnswer('approve', 'lab', waits)).toMatchInlineSnapshot(`
     "lab: told to go on despite
       thorx · check owner: the node belongs to the cluster other
         it will take the node from the cluster other, which is gone for good"
    `);
  });
});

describe('status', () => {
  test('tells what is waited for in full, since when, and how to answer', () => {
    const long = `thorx · start head: ${'x'.repeat(200)}`;
    const what = `${long}\n  Stop it.\n  windlass retry FILE thorx: look again now (signal retryNode)`;
    const board = { cluster: 'lab', run: 'r', startedAt: 0, rows: [] };
    expect(
      waitLines({ ...board, waitingFor: { node: 'thorx', since: Date.now() - 7_200_000, what, all: [] } }),
    ).toEqual([
      expect.stringMatching(/^ {2}waits for a person since 2\d{3}-.*Z \(2h ago\)$/),
      `    ${long}`,
      '      Stop it.',
      '      windlass retry FILE thorx: look again now (signal retryNode)',
    ]);
    expect(waitLines({ ...board, waitingFor: null })).toEqual([]);
  });
});
