/** What a keeper knows and is told: the serving gang, the losses, and what a person says while its circuit is open. */
import { condition, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { canonicalJson } from '../src/cluster/hash.ts';
import type { KeeperState, KeeperStatus, Kept, LastLoss, Loss, ServingGang } from '../src/cluster/keeper.ts';
import { circuitWaitOf, isLostTooOften, keeperMarkdown, recent } from '../src/cluster/keeper.ts';
import { wantOf } from '../src/cluster/waits.ts';
import { nodeOf, wayOf, whereAndWhat } from './failures.ts';
import { keeperQuery, servingSignal, specQuery } from './messages.ts';
import type { Pending } from './waiting.ts';
import { Waiting } from './waiting.ts';

/** A repair takes some fifty events, so that a history holds several of them. */
const longestHistory = 500;

export class Keeper {
  serving: ServingGang;
  private told: ServingGang | null = null;
  private losses: readonly Loss[];
  private last: LastLoss | null;
  private state: KeeperState = 'watches';
  private since: number;
  private ownRepair: string | null = null;
  private pending: Pending | null = null;
  private watches = 0;
  private readonly waiting: Waiting;

  constructor({ serving, losses, last, since }: Kept) {
    this.serving = serving;
    this.losses = losses;
    this.last = last;
    this.since = since;
    this.waiting = new Waiting(() => {
      this.show();
    });
    setHandler(keeperQuery, () => this.status, {
      description: 'What the keeper does, since when, and what it did last, as JSON.',
    });
    setHandler(specQuery, () => this.serving.spec, {
      description: 'The cluster spec that the keeper brings up again.',
    });
    setHandler(
      servingSignal,
      (gang) => {
        this.tell(gang);
      },
      { description: 'Internal: a bring-up tells which gang serves now.' },
    );
    this.show();
  }

  get status(): KeeperStatus {
    const { state, since, last, serving, waiting } = this;
    return { cluster: serving.spec.name, state, since, last, waitingFor: circuitWaitOf(waiting.waits) };
  }

  get kept(): Kept {
    const { serving, told, losses, last, since } = this;
    return { serving: told ?? serving, losses, last, since };
  }

  get isHistoryLong(): boolean {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    return continueAsNewSuggested || historyLength > longestHistory;
  }

  /** Has a bring-up told of a gang that is not watched yet? */
  get isTold(): boolean {
    return this.told !== null;
  }

  /** A number for the activities of the next watch: those of the one before may not have heard yet that they are over. */
  beginWatch(): number {
    if (this.told) this.serving = this.told;
    this.told = null;
    this.enter('watches');
    return (this.watches += 1);
  }

  enter(state: KeeperState): void {
    if (this.state !== state) this.since = Date.now();
    this.state = state;
    this.show();
  }

  /** Keep how the gang was lost. Returns whether that was too often. */
  noteLoss(loss: Error): boolean {
    const now = Date.now();
    this.last = { lostAt: now, what: whereAndWhat(loss), servesAt: null };
    this.losses = [...recent(this.losses, now), { way: wayOf(loss), at: now }];
    return isLostTooOften(this.losses);
  }

  /** The run that repairs; what it tells counts as a repair, and what any other run tells as a new beginning. */
  repairsBy(run: string): void {
    this.ownRepair = run;
  }

  /** Nothing was lost: a watch ended for another reason, and all that served serves on. */
  wasNoLoss(): void {
    this.losses = this.losses.slice(0, -1);
  }

  /** Wait, visibly, for a person, or for a bring-up of theirs that ends well. Afterwards old losses count no more. */
  async openCircuit(cause: Error, reason: string): Promise<void> {
    this.enter('circuit open');
    const node = nodeOf(cause) ?? this.serving.spec.head;
    const why = `${reason}: ${whereAndWhat(cause)}`;
    const what = wantOf('CIRCUIT_OPEN', { why }, node);
    const wait = {
      node,
      step: 'keep',
      code: 'CIRCUIT_OPEN',
      since: this.since,
      what,
      approval: null,
    } as const;
    const pending = this.waiting.begin();
    this.pending = pending;
    try {
      while (!this.isTold && (await pending.ask([wait])).size === 0);
    } finally {
      this.pending = null;
      pending.end();
    }
    this.losses = [];
  }

  /** Somebody has ended or failed to finish what they had begun; until they begin again it is theirs. */
  async standBy(): Promise<void> {
    this.enter('stands by');
    await condition(() => this.isTold);
  }

  private tell(serving: ServingGang): void {
    if (this.last?.servesAt === null) this.last = { ...this.last, servesAt: Date.now() };
    if (serving.run.fence.run !== this.ownRepair) this.losses = [];
    // What is watched already is watched on.
    if (this.state === 'watches' && isSameGang(serving, this.serving)) this.serving = serving;
    else this.told = serving;
    this.pending?.take('retry', null);
    this.show();
  }

  private show(): void {
    setCurrentDetails(keeperMarkdown(this.status));
  }
}

const isSameGang = (a: ServingGang, b: ServingGang): boolean =>
  canonicalJson({ ...a, run: null }) === canonicalJson({ ...b, run: null });
