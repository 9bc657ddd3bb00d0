/** Keeps the node × step table of a run: for the query, for the Temporal UI, and for the report at the end. */
import { setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { Board, BoardRow, StepName, StepState } from '../src/cluster/board.ts';
import { boardMarkdown } from '../src/cluster/board.ts';
import type { Wait } from '../src/cluster/waits.ts';
import { waitingForOf, wantOf } from '../src/cluster/waits.ts';
import { allUnlessOneFails, located, personProblems, sentenceOf } from './failures.ts';
import { rowSignal, statusQuery } from './messages.ts';
import type { Answer } from './waiting.ts';
import { Waiting } from './waiting.ts';

/** What a step answers: whether it changed the node, and what it did, for people. */
export interface StepResult {
  readonly changed: boolean;
  readonly what?: string;
}

/** Waits for a person; what `Pending.ask` says, with the time of the first wait filled in. */
export type AskPerson = (
  waits: readonly Omit<Wait, 'since'>[],
  leastMs?: number,
) => Promise<ReadonlyMap<string, Answer>>;

interface ProgressOptions {
  /** Called for each change of a row. */
  readonly onRow?: (row: BoardRow) => void;
  /** Wait for a person where only a person can help, instead of failing. */
  readonly canWait?: boolean;
}

export class Progress {
  private readonly rows: BoardRow[] = [];
  private readonly cluster: string;
  private readonly onRow: ((row: BoardRow) => void) | undefined;
  private readonly waiting: Waiting | null;

  constructor(cluster: string, { onRow, canWait = false }: ProgressOptions = {}) {
    this.cluster = cluster;
    this.onRow = onRow;
    const show = () => {
      setCurrentDetails(boardMarkdown(this.board));
    };
    this.waiting = canWait ? new Waiting(show) : null;
    setHandler(statusQuery, () => this.board, { description: 'The node × step table of this run, as JSON.' });
    setHandler(
      rowSignal,
      (row) => {
        this.set(row);
      },
      { description: 'Internal: a child run reports a step.' },
    );
  }

  get board(): Board {
    const { runId, startTime } = workflowInfo();
    return {
      cluster: this.cluster,
      run: runId,
      startedAt: startTime.getTime(),
      rows: this.rows,
      waitingFor: waitingForOf(this.waiting?.waits ?? []),
    };
  }

  get changes(): number {
    return this.rows.filter((row) => row.state === 'done').length;
  }

  /** Has a step of a node ended well, or was it found to be as wanted? */
  isRight(node: string, step: StepName): boolean {
    const row = this.rows.findLast((each) => each.node === node && each.step === step);
    return row?.state === 'done' || row?.state === 'unchanged';
  }

  /** Is a person waited for on this node? */
  isWaiting(node: string): boolean {
    return this.waiting?.waits.some((wait) => wait.node === node) ?? false;
  }

  /**
   * Run one step of one node and keep how it went; a failure gets the names of both. One that a person can mend is
   * waited for, and then the work is done again.
   */
  async step<T extends StepResult>(
    node: string,
    step: StepName,
    work: (ask: AskPerson) => Promise<T>,
  ): Promise<T> {
    const startedAt = Date.now();
    const report = (state: StepState, more: Partial<BoardRow> = {}) => {
      this.set({ node, step, state, startedAt, ...more });
    };
    report('running');
    try {
      const result = await this.mended(
        node,
        (ask) =>
          work(ask).catch((error: unknown) => {
            throw located(error, node, step);
          }),
        (note) => {
          report(note === null ? 'running' : 'waiting', note === null ? {} : { note });
        },
      );
      report(result.changed ? 'done' : 'unchanged', {
        endedAt: Date.now(),
        ...(result.what !== undefined && { note: result.what }),
      });
      return result;
    } catch (error) {
      report('failed', { endedAt: Date.now(), note: sentenceOf(error) });
      throw error;
    }
  }

  /**
   * Do work for a node, again whenever a person has mended what stopped it; `onWait` hears for what it waits, and null
   * when that is over.
   */
  async mended<T>(
    node: string,
    work: (ask: AskPerson) => Promise<T>,
    onWait: (note: string | null) => void = () => undefined,
  ): Promise<T> {
    const { waiting } = this;
    if (!waiting) return work(() => Promise.reject(new Error('this run waits for nobody')));
    const pending = waiting.begin();
    let since: number | null = null;
    const ask: AskPerson = async (waits, leastMs) => {
      const first = (since ??= Date.now());
      onWait(waits[0]?.what.split('\n')[0] ?? '');
      try {
        return await pending.ask(
          waits.map((wait) => ({ ...wait, since: first })),
          leastMs,
        );
      } finally {
        onWait(null);
      }
    };
    try {
      for (;;) {
        try {
          return await work(ask);
        } catch (error) {
          const problems = waiting.isCancelled ? null : personProblems(error);
          const [first] = problems ?? [];
          if (problems === null || first === undefined) throw error;
          const whats = problems.map(({ code, data, step = '' }) => wantOf(code, data, `${node} · ${step}`));
          const { code, step = '' } = first;
          // A wait that ends because something else has failed for good tells its own problem beside that.
          await ask([{ node, step, code, what: whats.join('\n  '), approval: null }]).catch(
            (ended: unknown) => {
              throw waiting.isCancelled ? ended : error;
            },
          );
        }
      }
    } finally {
      pending.end();
    }
  }

  /** Do work for nodes side by side. Where one has failed for good, nobody is waited for on the others. */
  async sideBySide<T>(nodes: readonly string[], work: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
    return allUnlessOneFails(work, (running) => running.every((at) => this.isWaiting(nodes[at] ?? '')));
  }

  /** Note a step that was found to be as wanted. */
  alreadyRight(node: string, step: StepName): void {
    const now = Date.now();
    this.set({ node, step, state: 'unchanged', startedAt: now, endedAt: now });
  }

  /** Show the steps of a node that failed in a child as waiting while this run waits for them, and then as failed. */
  showWaiting(node: string, isWaiting: boolean): void {
    const [from, state] = isWaiting ? (['failed', 'waiting'] as const) : (['waiting', 'failed'] as const);
    for (const row of this.rows.filter((each) => each.node === node && each.state === from)) {
      this.set({ ...row, state });
    }
  }

  private set(row: BoardRow): void {
    const at = this.rows.findIndex(
      (each) => each.node === row.node && each.step === row.step && each.startedAt === row.startedAt,
    );
    if (at === -1) this.rows.push(row);
    else this.rows[at] = row;
    setCurrentDetails(boardMarkdown(this.board));
    this.onRow?.(row);
  }
}
