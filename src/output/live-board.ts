/** Shows a run: a live node × step table on a terminal, one line for each change elsewhere. */
import prettyBytes from 'pretty-bytes';
import type { ActProgress } from '../cluster/act-progress.ts';
import type { Board, BoardRow, StepName } from '../cluster/board.ts';
import { steps } from '../cluster/board.ts';
import { escapeLine } from '../process/escape.ts';
import type { Output } from './output.ts';
import { table } from './table.ts';

/** What an activity that runs now says of itself. */
export interface LiveActivity {
  readonly node: string;
  readonly step: string;
  readonly attempt: number;
  readonly progress: ActProgress;
}

const marks = { running: '…', done: '✓', unchanged: '=', failed: '✗', waiting: '⏸' } as const;

const seconds = (ms: number): string =>
  ms < 100_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;

/** One short text for bytes, packages and phase. */
export function describeProgress(progress: ActProgress): string {
  const { phase, bytes, totalBytes, packages, totalPackages } = progress;
  const parts = [
    phase,
    bytes === undefined || bytes === 0
      ? undefined
      : `${prettyBytes(bytes)}${totalBytes === undefined || totalBytes === 0 ? '' : ` of ${prettyBytes(totalBytes)}`}`,
    packages === undefined || totalPackages === undefined || totalPackages === 0
      ? undefined
      : `${packages} of ${totalPackages} packages`,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

export class BoardView {
  private readonly output: Output;
  private readonly printed = new Set<string>();

  constructor(output: Output) {
    this.output = output;
  }

  /** Show the newest state. */
  show(board: Board, activities: readonly LiveActivity[]): void {
    if (this.output.isLive) this.output.update(this.liveText(board, activities));
    else {
      for (const row of board.rows) this.printOnce(row);
      this.printWaits(board.waitingFor?.what);
    }
  }

  /** Print what a plain reader has not seen yet, and leave the table standing. */
  finish(board: Board | null): void {
    if (board && !this.output.isLive) for (const row of board.rows) this.printOnce(row);
    this.output.done();
  }

  private printWaits(what: string | undefined): void {
    if (what === undefined || this.printed.has(what)) return;
    this.printed.add(what);
    this.output.line(waitText(what).join('\n'));
  }

  private printOnce(row: BoardRow): void {
    if (row.state === 'running') return;
    const key = `${row.node}/${row.step}/${row.startedAt}/${row.state}`;
    if (this.printed.has(key)) return;
    this.printed.add(key);
    const took = row.endedAt === undefined ? '' : seconds(row.endedAt - row.startedAt);
    const note = row.note === undefined ? '' : `  ${row.note.split('\n')[0] ?? ''}`;
    this.output.line(
      escapeLine(
        `${marks[row.state]} ${row.node.padEnd(14)} ${row.step.padEnd(18)} ${took.padStart(9)}${note}`,
      ),
    );
  }

  private liveText(board: Board, activities: readonly LiveActivity[]): string {
    const { colors, columns } = this.output;
    const nodes = [...new Set(board.rows.map((row) => row.node))];
    const now = Date.now();
    const rows = nodes.map((node) => {
      const ofNode = board.rows.filter((row) => row.node === node);
      const last = ofNode.at(-1);
      const done = new Set(
        ofNode.filter((row) => row.state === 'done' || row.state === 'unchanged').map((row) => row.step),
      );
      const bar = steps.map((step) => stepMark(step, ofNode, done)).join('');
      const live = activities.find((activity) => activity.node === node && activity.step === last?.step);
      const detail = live ? describeProgress(live.progress) : '';
      const elapsed = last ? seconds((last.endedAt ?? now) - last.startedAt) : '';
      return [
        node,
        bar,
        last?.step ?? '',
        elapsed,
        live && live.attempt > 1 ? `${detail} (attempt ${live.attempt})` : detail,
      ];
    });
    const head = `${colors.bold(escapeLine(board.cluster))}  ${seconds(now - board.startedAt)}`;
    const waits = board.waitingFor ? waitText(board.waitingFor.what) : [];
    const waiting = waits.map((line) => colors.yellow(line));
    return [head, table(rows, columns), ...waiting].join('\n');
  }
}

/** What a person is waited for, each thing with a mark before its first line. */
const waitText = (what: string): string[] =>
  what.split('\n').map((line) => `${line.startsWith('  ') ? '' : '⏸ '}${escapeLine(line)}`);

function stepMark(step: StepName, rows: readonly BoardRow[], done: ReadonlySet<StepName>): string {
  if (done.has(step)) return '■';
  return rows.some((row) => row.step === step && row.endedAt === undefined) ? '▣' : '·';
}
