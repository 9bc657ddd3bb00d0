/** Keeps the node × step table of a run: for the query, for the Temporal UI, and for the report at the end. */
import { setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { Board, BoardRow, StepName, StepState } from '../src/cluster/board.ts';
import { boardMarkdown } from '../src/cluster/board.ts';
import { located, sentenceOf } from './failures.ts';
import { retrySignal, rowSignal, statusQuery } from './messages.ts';

/** What a step answers: whether it changed the node, and what it did, for people. */
export interface StepResult {
  readonly changed: boolean;
  readonly what?: string;
}

type Waiting = NonNullable<Board['waitingFor']>;

export class Progress {
  private readonly rows: BoardRow[] = [];
  private readonly waits = new Map<string, Waiting>();
  private retries = 0;
  private readonly cluster: string;
  private readonly onRow: ((row: BoardRow) => void) | undefined;

  constructor(cluster: string, onRow?: (row: BoardRow) => void) {
    this.cluster = cluster;
    this.onRow = onRow;
    setHandler(statusQuery, () => this.board, { description: 'The node × step table of this run, as JSON.' });
    setHandler(
      rowSignal,
      (row) => {
        this.set(row);
      },
      { description: 'Internal: a child run reports a step.' },
    );
    setHandler(
      retrySignal,
      () => {
        this.retries += 1;
      },
      { description: 'Look again at once at what this run waits for. Input: {} or {"node": "NAME"}.' },
    );
  }

  get board(): Board {
    const { runId, startTime } = workflowInfo();
    return {
      cluster: this.cluster,
      run: runId,
      startedAt: startTime.getTime(),
      rows: this.rows,
      waitingFor: longestOf([...this.waits.values()]),
    };
  }

  /** How often a person asked to look again. */
  get retryCount(): number {
    return this.retries;
  }

  get changes(): number {
    return this.rows.filter((row) => row.state === 'done').length;
  }

  /** Has a step of a node ended well, or was it found to be as wanted? */
  isRight(node: string, step: StepName): boolean {
    const row = this.rows.findLast((each) => each.node === node && each.step === step);
    return row?.state === 'done' || row?.state === 'unchanged';
  }

  /** Run one step of one node and keep how it went; a failure gets the names of both. */
  async step<T extends StepResult>(node: string, step: StepName, work: () => Promise<T>): Promise<T> {
    const startedAt = Date.now();
    this.set({ node, step, state: 'running', startedAt });
    try {
      const result = await work();
      const state: StepState = result.changed ? 'done' : 'unchanged';
      this.set({
        node,
        step,
        state,
        startedAt,
        endedAt: Date.now(),
        ...(result.what !== undefined && { note: result.what }),
      });
      return result;
    } catch (error) {
      this.set({ node, step, state: 'failed', startedAt, endedAt: Date.now(), note: sentenceOf(error) });
      throw located(error, node, step);
    }
  }

  /** Note a step that was found to be as wanted. */
  alreadyRight(node: string, step: StepName): void {
    const now = Date.now();
    this.set({ node, step, state: 'unchanged', startedAt: now, endedAt: now });
  }

  /** Show that a person is needed for a node, until `goOn` is called for it. */
  wait(waiting: Waiting): void {
    this.waits.set(waiting.node, waiting);
    setCurrentDetails(boardMarkdown(this.board));
  }

  /** The node is waited for no longer. */
  goOn(node: string): void {
    if (this.waits.delete(node)) setCurrentDetails(boardMarkdown(this.board));
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

/** What has waited longest, with the words of all. */
function longestOf(waits: readonly Waiting[]): Board['waitingFor'] {
  const [longest, ...others] = waits.toSorted((a, b) => a.since - b.since);
  if (!longest) return null;
  return { ...longest, what: [longest, ...others].map((each) => each.what).join('\n') };
}
