/**
 * Waiting for a person: what is waited for, and the signals by which a person answers. Nothing runs on a node
 * meanwhile, and a timer looks again in a growing rhythm, so that a run can wait for weeks.
 */
import { CancellationScope, CancelledFailure, condition, setHandler } from '@temporalio/workflow';
import type { Wait } from '../src/cluster/waits.ts';
import { pauseMs } from '../src/cluster/waits.ts';
import { approveSignal, retrySignal } from './messages.ts';

/** What a person said of one wait; none when the time to look again has come by itself. */
export type Answer = 'retry' | 'approve';

/** How often a failed act or check is looked at again by itself: each look is one that changes nothing if it fails. */
const lookAgainMs = 10 * 60_000;

export class Waiting {
  private readonly pending = new Set<Pending>();
  /** The scope of the whole run. A part of it may be shielded, and must not wait on in a run that is to end. */
  private readonly run = CancellationScope.current();
  readonly onChange: () => void;

  constructor(onChange: () => void) {
    this.onChange = onChange;
    const answered = (answer: Answer) => (input: unknown) => {
      for (const each of this.pending) each.take(answer, nodeOf(input));
      this.onChange();
    };
    setHandler(retrySignal, answered('retry'), {
      description: 'Look again now at what this run waits for. Input: {} or {"node": "NAME"}.',
    });
    setHandler(approveSignal, answered('approve'), {
      description:
        'Go on despite what this run waits for, where waitingFor in the status says what that means. Input: {} or {"node": "NAME"}.',
    });
  }

  get isCancelled(): boolean {
    return this.run.consideredCancelled;
  }

  get waits(): Wait[] {
    return [...this.pending].flatMap((each) => each.waits);
  }

  begin(): Pending {
    const pending = new Pending(this);
    this.pending.add(pending);
    return pending;
  }

  end(pending: Pending): void {
    this.pending.delete(pending);
    if (pending.waits.length > 0) this.onChange();
  }
}

/** Who is meant: null for all. A signal may be typed by hand; a name alone is understood too. */
function nodeOf(input: unknown): string | null {
  const isObject = typeof input === 'object' && input !== null && !Array.isArray(input);
  const node = isObject ? (input as { readonly node?: unknown }).node : input;
  if (node === undefined || node === null) return null;
  return typeof node === 'string' ? node : '';
}

/** What one part of a run waits for. It stays shown while it looks again, until `end`. */
export class Pending {
  waits: readonly Wait[] = [];
  private readonly answers = new Map<string, Answer>();
  private readonly waiting: Waiting;

  constructor(waiting: Waiting) {
    this.waiting = waiting;
  }

  /** Keep what a person said. An approval where none is offered is told to be of no use, and changes nothing. */
  take(answer: Answer, node: string | null): void {
    this.waits = this.waits.map((wait) => {
      if (node !== null && node !== wait.node) return wait;
      if (answer === 'retry' || wait.approval !== null) {
        this.answers.set(wait.node, answer);
        return wait;
      }
      const useless = '  It was approved, which is of no use here: it would only fail again.';
      return wait.what.endsWith(useless) ? wait : { ...wait, what: `${wait.what}\n${useless}` };
    });
  }

  /**
   * Show the waits and wait: for a person, or until it is time to look again. Returns the answers by node, none when it
   * was the time. Ends at once, as cancelled, when the run is.
   */
  async ask(waits: readonly Wait[], leastMs = lookAgainMs): Promise<ReadonlyMap<string, Answer>> {
    // Who said "look again" while a look was under way has mended it maybe after that look; an approval was of what
    // was shown before.
    for (const [node, answer] of this.answers) if (answer === 'approve') this.answers.delete(node);
    this.waits = waits;
    this.waiting.onChange();
    const waitedMs = Date.now() - Math.min(...waits.map(({ since }) => since));
    await condition(() => this.waiting.isCancelled || this.answers.size > 0, pauseMs(waitedMs, leastMs));
    if (this.waiting.isCancelled) throw new CancelledFailure('the run was cancelled');
    const answers = new Map(this.answers);
    this.answers.clear();
    this.waits = this.waits.map((wait) => ({ ...wait, isLookedAt: true }));
    return answers;
  }

  end(): void {
    this.waiting.end(this);
    this.waits = [];
  }
}
