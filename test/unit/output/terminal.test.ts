/** Nothing that a node, an engine or a model says reaches the terminal as a command to it. */
import { describe, expect, test } from '@jest/globals';
import type { Board, BoardRow } from '../../../src/cluster/board.ts';
import type { BringUpReport } from '../../../src/cluster/report.ts';
import { WindlassError } from '../../../src/errors.ts';
import { BoardView } from '../../../src/output/live-board.ts';
import { explainReport } from '../../../src/output/report.ts';
import { table } from '../../../src/output/table.ts';
import { captured } from './captured.ts';
import { hostile } from './hostile.ts';

// eslint-disable-next-line no-control-regex -- the colours that the live table itself uses
const ownColours = /\u001B\[(?:1|22|33|39)m/g;
const obeyed = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const row = (note: string): BoardRow => ({
  node: 'spark-1',
  step: 'install wheels',
  state: 'failed',
  startedAt: 1_000,
  endedAt: 3_500,
  note,
});

const board = (note: string, what: string | null = null): Board => ({
  cluster: 'lab',
  run: 'r',
  startedAt: 0,
  rows: [row(note)],
  waitingFor: what === null ? null : { node: 'spark-1', since: 0, what, all: [] },
});

const report = (text: string): BringUpReport => ({
  cluster: 'lab',
  run: 'r',
  changes: 1,
  keeper: null,
  api: { address: '10.0.0.25', port: 5000, servedName: 'm', open: true },
  answer: { prompt: 'Say', text, tokens: 3, answerMs: 5, firstTokenMs: 2, at: 0 },
  nodes: [],
  phases: [{ step: 'smoke test', seconds: 1, changed: true }],
});

describe.each(hostile)('%s', (_what, text, shown) => {
  test('in a line and in a note', () => {
    const { output, out, err } = captured({ live: true });
    output.line(`said ${text}`);
    output.note(`said ${text}`);
    expect([out(), err()]).toEqual([`said ${shown}\n`, `said ${shown}\n`]);
  });

  test('in the note of a step', () => {
    const { output, out } = captured();
    new BoardView(output).show(board(text), []);
    expect(out()).toBe(`✗ spark-1        install wheels         2.5 s  ${shown}\n`);
  });

  test('in the live table: progress, and what a person is waited for', () => {
    const { output, out } = captured({ live: true });
    const progress = { phase: text };
    const activity = { node: 'spark-1', step: 'install wheels', attempt: 1, progress };
    new BoardView(output).show(board('', `look: ${text}`), [activity]);
    const written = out();
    expect(written).toContain(`look: ${shown}`);
    expect(written.split(shown)).toHaveLength(3);
    expect(written.replace(ownColours, '')).not.toMatch(obeyed);
  });

  test('in what a person is waited for, where there is no live table; it is told once', () => {
    const { output, out } = captured();
    const view = new BoardView(output);
    view.show(board('', `look: ${text}`), []);
    view.show(board('', `look: ${text}`), []);
    expect(out().split('\n').slice(1)).toEqual([`⏸ look: ${shown}`, '']);
  });

  test('in the answer of the model', () => {
    expect(explainReport(report(`x${text}y`), 2)).toContain(`  answered  x${shown}y\n`);
  });

  test('in the cell of a table, as of status and its probe', () => {
    expect(table([['  probe', `answered: ${text}`]])).toBe(`  probe  answered: ${shown}`);
  });

  test('in an error, and in the stack of a defect', () => {
    const { output, err } = captured({ live: true });
    output.error(new WindlassError('SMOKE_FAILED', { evidence: text }));
    expect(err()).toContain(`did not pass: ${shown}\n`);
    output.error(new Error(text));
    expect(err()).toContain(`Error: ${shown}\n`);
  });

  test('in JSON, which still means the same', () => {
    const { output, out } = captured({ json: true });
    output.result({ text });
    const written = out();
    expect(written.trimEnd()).not.toMatch(obeyed);
    expect(JSON.parse(written)).toEqual({ text });
  });
});

test('a service that went away in the middle of a command is no defect of windlass', () => {
  const { output, err } = captured();
  const error = Object.assign(new Error('14 UNAVAILABLE: read ECONNRESET'), { code: 14, metadata: {} });
  expect(output.error(new Error('the call failed', { cause: error }))).toBe(4);
  expect(err()).toMatch(/no Temporal service answers at the home: .*\n {2}TEMPORAL_UNREACHABLE\n/);
});

test('lines of an answer cannot pass for lines of ours', () => {
  const shown = explainReport(report('one\n  API       http://evil/v1'), 2);
  expect(shown).toContain('  answered  one\n              API       http://evil/v1\n');
  expect(shown.split('\n').filter((line) => line.startsWith('  API'))).toEqual([
    '  API       http://10.0.0.25:5000/v1  model m  (open: no key is asked for)',
  ]);
});

test('a cell with line ends stays one row', () => {
  expect(
    table([
      ['a\nb', 'c'],
      ['d', 'e'],
    ]),
  ).toBe('a\\nb  c\nd     e');
});

test('characters beyond the basic plane stay valid in JSON', () => {
  const { output, out } = captured({ json: true });
  output.result({ tag: '\u{E0041}', emoji: '🚀' });
  expect(out()).toBe('{"tag":"\\udb40\\udc41","emoji":"🚀"}\n');
});
