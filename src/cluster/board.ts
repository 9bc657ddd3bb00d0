/** The node × step table of a run, as data: the workflow keeps it, the Temporal UI and the command line show it. */

import { utf8ToBytes } from '@noble/hashes/utils';
import type { WaitingFor } from './waits.ts';
import { answerLines } from './waits.ts';

/** The steps in the order of the work; titles are what people see. */
export const steps = [
  'observe',
  'check',
  'lock packages',
  'provision venv',
  'install wheels',
  'verify torch arch',
  'stage model',
  'stop old gang',
  'start head',
  'join workers',
  'verify GPU count',
  'launch server',
  'wait until ready',
  'smoke test',
] as const;
export type StepName = (typeof steps)[number];

export type StepState = 'running' | 'done' | 'unchanged' | 'failed' | 'waiting';

export interface BoardRow {
  /** Name of the node. */
  readonly node: string;
  readonly step: StepName;
  readonly state: StepState;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt?: number;
  /** What was done, or why it failed or waits. */
  readonly note?: string;
}

export interface Board {
  readonly cluster: string;
  readonly run: string;
  readonly startedAt: number;
  readonly rows: readonly BoardRow[];
  /** Set while a person is needed. */
  readonly waitingFor: WaitingFor | null;
}

/** Seconds from the first start to the last end of each step, in order. */
export function phaseSeconds(
  rows: readonly BoardRow[],
): { step: StepName; seconds: number; changed: boolean }[] {
  return steps.flatMap((step) => {
    const ofStep = rows.filter((row) => row.step === step && row.endedAt !== undefined);
    if (ofStep.length === 0) return [];
    const start = Math.min(...ofStep.map((row) => row.startedAt));
    const end = Math.max(...ofStep.map((row) => row.endedAt ?? row.startedAt));
    return [
      {
        step,
        seconds: Math.round((end - start) / 100) / 10,
        changed: ofStep.some((row) => row.state === 'done'),
      },
    ];
  });
}

const mark: Record<StepState, string> = {
  running: '…',
  done: '✓',
  unchanged: '=',
  failed: '✗',
  waiting: '⏸',
};

/** What the Temporal service takes as details of a run. */
const pageBytes = 20_000;

/** Markdown for the run's page in the Temporal UI; a cluster too large for a table of its nodes shows counts. */
export function boardMarkdown(board: Board): string {
  const { rows, waitingFor } = board;
  const notes = rows
    .filter((row) => row.state === 'failed' || row.state === 'waiting')
    .slice(0, 20)
    .map((row) => `- **${row.node}** · ${row.step}: ${(row.note ?? '').slice(0, 200)}`);
  const page = (summary: string): string =>
    [
      ...(waitingFor
        ? [
            `Waiting for a person since ${new Date(waitingFor.since).toISOString()}: ${asMarkdown(waitingFor.what)}`,
          ]
        : []),
      summary,
      ...(notes.length > 0 ? [notes.join('\n')] : []),
      'done ✓ · already right = · running … · failed ✗ · waits for a person ⏸',
    ].join('\n\n');
  const whole = page(nodeTable(rows));
  return utf8ToBytes(whole).length <= pageBytes ? whole : page(stepCounts(rows));
}

/** The same lines, as the UI shows them: two spaces at its end keep a line one. How to answer is never cut off. */
function asMarkdown(what: string): string {
  const lines = what.split('\n').map((line) => line.trim());
  const said = lines.slice(0, -answerLines).join('  \n').slice(0, 1_000);
  const answers = lines.slice(-answerLines).map((line) => line.slice(0, 200));
  return [said, ...answers].filter((each) => each !== '').join('  \n');
}

const shownSteps = (rows: readonly BoardRow[]): StepName[] =>
  steps.filter((step) => rows.some((row) => row.step === step));

function nodeTable(rows: readonly BoardRow[]): string {
  const shown = shownSteps(rows);
  const byNode = new Map<string, Map<StepName, BoardRow>>();
  for (const row of rows) {
    const ofNode = byNode.get(row.node) ?? new Map<StepName, BoardRow>();
    byNode.set(row.node, ofNode.set(row.step, row));
  }
  return [
    `| node | ${shown.join(' | ')} |`,
    `|---|${shown.map(() => '---').join('|')}|`,
    ...[...byNode].map(
      ([node, ofNode]) => `| ${node} | ${shown.map((step) => cell(ofNode.get(step))).join(' | ')} |`,
    ),
  ].join('\n');
}

function cell(row: BoardRow | undefined): string {
  if (!row) return '';
  return row.endedAt === undefined
    ? mark[row.state]
    : `${mark[row.state]} ${((row.endedAt - row.startedAt) / 1000).toFixed(1)} s`;
}

function stepCounts(rows: readonly BoardRow[]): string {
  const nodes = new Set(rows.map((row) => row.node)).size;
  return shownSteps(rows)
    .map((step) => {
      const ended = rows.filter((row) => row.step === step && row.endedAt !== undefined);
      return `- ${step}: ${new Set(ended.map((row) => row.node)).size} of ${nodes}`;
    })
    .join('\n');
}
