import { describe, expect, test } from '@jest/globals';
import type { Board, BoardRow } from '../../../src/cluster/board.ts';
import { boardMarkdown, phaseSeconds, steps } from '../../../src/cluster/board.ts';

const row = (changes: Partial<BoardRow>): BoardRow => ({
  node: 'thorx',
  step: 'install wheels',
  state: 'done',
  startedAt: 0,
  endedAt: 1_000,
  ...changes,
});

const board = (rows: readonly BoardRow[], waitingFor: Board['waitingFor'] = null): Board => ({
  cluster: 'lab',
  run: 'run-1',
  startedAt: 0,
  rows,
  waitingFor,
});

describe('the seconds of a phase', () => {
  test('go from the first start to the last end, in the order of the steps', () => {
    expect(
      phaseSeconds([
        row({ step: 'stage model', startedAt: 500, endedAt: 750 }),
        row({ node: 'spark-1', startedAt: 3_000, endedAt: 4_240 }),
        row({ startedAt: 1_000, endedAt: 2_000, state: 'unchanged' }),
      ]),
    ).toEqual([
      { step: 'install wheels', seconds: 3.2, changed: true },
      { step: 'stage model', seconds: 0.3, changed: true },
    ]);
  });

  test('are not told of a step that has not ended', () => {
    const { endedAt: _endedAt, ...running } = row({ state: 'running' });
    expect(phaseSeconds([running])).toEqual([]);
  });

  test('say that nothing changed when every node was as wanted', () => {
    expect(phaseSeconds([row({ state: 'unchanged' })])).toEqual([
      { step: 'install wheels', seconds: 1, changed: false },
    ]);
  });
});

describe('the page of a run', () => {
  test('has a row a node and a column a step, with the last word on each', () => {
    const { endedAt: _endedAt, ...running } = row({ node: 'spark-1', step: 'stage model', state: 'running' });
    expect(
      boardMarkdown(
        board([
          row({ state: 'failed', note: 'a first start' }),
          row({ startedAt: 2_000, endedAt: 4_500 }),
          running,
        ]),
      ),
    ).toBe(
      [
        '| node | install wheels | stage model |',
        '|---|---|---|',
        '| thorx | ✓ 2.5 s |  |',
        '| spark-1 |  | … |',
        '',
        '- **thorx** · install wheels: a first start',
        '',
        'done ✓ · already right = · running … · failed ✗ · waits for a person ⏸',
      ].join('\n'),
    );
  });

  test('begins with what a person is waited for', () => {
    const page = boardMarkdown(
      board([], { node: 'thorx', since: 0, what: 'no node worker on thorx', all: [] }),
    );
    expect(page).toMatch(
      /^Waiting for a person since 1970-01-01T00:00:00\.000Z: no node worker on thorx\n\n/,
    );
  });

  test.each([4, 80, 100, 1000])('stays below the 20 KB that the service takes, with %i nodes', (count) => {
    const rows = Array.from({ length: count }, (_none, at) =>
      steps.map((step) => row({ node: `node-${at}`, step, state: 'failed', note: '☃'.repeat(400) })),
    ).flat();
    const page = boardMarkdown(
      board(rows, { node: 'thorx', since: 0, what: `${'☃'.repeat(400)}\n`.repeat(200), all: [] }),
    );
    expect(Buffer.byteLength(page)).toBeLessThanOrEqual(20_000);
    expect(page).toMatch(/^Waiting for a person/);
    expect(page).toMatch(/\*\*node-0\*\* · observe/);
    expect(page.includes('| node |')).toBe(count < 80);
  });

  test('counts the nodes of a step where a table would be too long', () => {
    const rows = Array.from({ length: 1000 }, (_none, at) => row({ node: `node-${at}` }));
    const again = row({ node: 'node-7', startedAt: 5_000, endedAt: 6_000 });
    const { endedAt: _endedAt, ...running } = row({ node: 'node-8', step: 'stage model', state: 'running' });
    const lines = boardMarkdown(board([...rows, again, running])).split('\n');
    expect(lines.slice(0, 2)).toEqual(['- install wheels: 1000 of 1000', '- stage model: 0 of 1000']);
  });
});
