/**
 * What a fault happens in: two hosts, the servers that they reach, the operator with the built program, and witnesses
 * of ours. One scene serves many faults; between them it is brought to the state in which the next one begins.
 */
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { readLedger, type LedgerLine } from '../lab/ledger.ts';
import type { HostProcess } from '../lab/host-processes.ts';
import { quietSnapshots, wakePolkit } from '../lab/quiet.ts';
import { until } from '../lab/run.ts';
import type { Snapshot } from '../lab/snapshot.ts';
import { Stage } from '../lab/stage.ts';
import type { Outcome, State } from './fault.ts';
import { clusterFile, dist, root } from './places.ts';
import { Samples } from './samples.ts';
import { readHistories, readPending, type StoredHistory } from './judge/histories.ts';
import { Secrets } from './judge/secrets.ts';
import { Strangers } from './judge/strangers.ts';
import { keepFresh, leftOnHosts, lookFresh, readFresh } from './judge/traces.ts';

const savedLabel = 'faults-prepared';
/** Of the scenes of a suite the first that ends keeps its hosts. */
let isEnding = false;

/** A command under way. Its end is a property, so that one may hand it on without waiting for it. */
export interface Running {
  readonly ended: Promise<Outcome>;
  readonly signal: (name: NodeJS.Signals) => void;
}

/** A command of the operator's that was run, for the evidence of a failure. */
export interface Said extends Outcome {
  readonly args: readonly string[];
}

export class Scene {
  readonly stage: Stage;
  readonly samples: Samples;
  readonly strangers: Strangers;
  readonly secrets = new Secrets();
  /** Every command since the case began. */
  readonly said: Said[] = [];
  /** When the case under way began. */
  since = 0;
  /** How many requests the hub had had by then. */
  hubRequests = 0;
  /** How the hosts were before windlass, with the witnesses in their places. */
  private readonly fresh: readonly Snapshot[];
  private isFresh: boolean;

  private constructor(
    stage: Stage,
    samples: Samples,
    strangers: Strangers,
    fresh: readonly Snapshot[],
    isFresh: boolean,
  ) {
    this.stage = stage;
    this.samples = samples;
    this.strangers = strangers;
    this.fresh = fresh;
    this.isFresh = isFresh;
  }

  /** Boot the hosts, from the saved state where there is one, and place the witnesses before anything of ours runs. */
  static async start(name: string, wants: State, log: (sentence: string) => void): Promise<Scene> {
    const isSaved = wants !== 'fresh' && (await Lab.isSaved(savedLabel));
    const hosts = isSaved ? { from: savedLabel } : { only: ['spark-ea8e', 'jetson-thor'] };
    const stage = await Stage.start({ name, ...hosts, dist, log });
    try {
      const samples = await Samples.start(stage.lab);
      const strangers = await Strangers.place(stage.lab.hosts);
      if (isSaved) await wakePolkit(stage.lab.hosts);
      const fresh = isSaved ? await readFresh() : await lookFresh(stage.lab.hosts);
      return new Scene(stage, samples, strangers, fresh, !isSaved);
    } catch (error) {
      await stage.stop();
      throw error;
    }
  }

  get hosts(): readonly Host[] {
    return this.stage.lab.hosts;
  }
  get head(): Host {
    return this.stage.lab.host('spark-ea8e');
  }
  get worker(): Host {
    return this.stage.lab.host('jetson-thor');
  }

  /** Start the program, or that of another build; what it says is kept for the evidence. */
  start(args: readonly string[], otherDist?: string): Running {
    const startedAt = Date.now();
    const child = this.stage.start(args, { env: this.secrets.env, dist: otherDist });
    const ended = child.then((result): Outcome => {
      const outcome = {
        exit: result.exitCode ?? -1,
        seconds: (Date.now() - startedAt) / 1000,
        stdout: String(result.stdout),
        stderr: String(result.stderr),
      };
      this.said.push({ args, ...outcome });
      return outcome;
    });
    return { ended, signal: (name) => void child.kill(name) };
  }

  up = (): Running => this.start(['up', clusterFile, '--json']);

  /** Run the program to its end. */
  run = async (args: readonly string[]): Promise<Outcome> => this.start(args).ended;

  /** Run the program to an end that must be good; that it is not says that the scene itself is broken. */
  async demand(args: readonly string[]): Promise<Outcome> {
    const outcome = await this.run(args);
    if (outcome.exit !== 0)
      throw new Error(
        `windlass ${args.join(' ')} ended with ${String(outcome.exit)}: ${outcome.stdout}${outcome.stderr}`,
      );
    return outcome;
  }

  /** Bring the scene to the state in which a fault begins; throws where the product does not get there unharmed. */
  async reach(state: State): Promise<void> {
    const { isFresh } = this;
    this.isFresh = false;
    if (state === 'fresh') {
      if (!isFresh) await this.purge();
      return;
    }
    await this.demand(['up', clusterFile, '--json']);
    if (state === 'serving') return;
    await this.demand(['down', clusterFile, '--json']);
    if (state === 'prepared') return;
    const made = ['envs', 'proofs', 'models', 'locks', 'cache', 'runs'].map((name) => `${root}/${name}`);
    const script = 'chmod -R u+w "$@" 2>/dev/null; rm -rf "$@"';
    await this.worker.exec(['sh', '-c', script, 'sh', ...made, '/home/dgx/.cache/huggingface']);
  }

  /** Remove everything of ours, and the models' cache. */
  async purge(): Promise<void> {
    await this.demand(['down', clusterFile, '--purge', '--json']);
    for (const host of this.hosts) await host.exec(['rm', '-rf', '/home/dgx/.cache/huggingface']);
  }

  /** A case begins: what was said and done before is not its. */
  begin(): void {
    this.since = Date.now();
    this.hubRequests = this.stage.hub.traffic.requests().length;
    this.said.length = 0;
  }

  /** Sentences about what is on the hosts, once nobody is logged in, that was not there before windlass. */
  left = async (): Promise<string[]> => leftOnHosts(this.hosts, this.fresh);

  /** What is on the hosts, once nobody is logged in. */
  snapshots = async (): Promise<Snapshot[]> => quietSnapshots(this.hosts);

  /** The histories of all runs that began in this case. */
  async histories(): Promise<StoredHistory[]> {
    return readHistories(this.head, this.since);
  }

  /** How often the service has handed out an activity that is still open. */
  async pendingAttempts(activityId: string): Promise<number> {
    const pending = await readPending(this.head);
    return pending.find((each) => each.activityId === activityId)?.attempt ?? 0;
  }

  /**
   * What every fault of this scene must have left untouched: secrets in their place, and hosts that are as they were once
   * everything of ours is removed. Hosts that are prepared and well are kept for the next time before that.
   */
  async finish(): Promise<string[]> {
    try {
      await this.reach('prepared');
      const problems = await this.secrets.onHosts(this.hosts);
      const isFirst = !isEnding;
      isEnding = true;
      if (isFirst && !(await Lab.isSaved(savedLabel))) await this.save();
      await this.purge();
      return [...problems, ...(await this.left())];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  }

  private async save(): Promise<void> {
    await keepFresh(this.fresh);
    await this.stage.lab.save(savedLabel);
    await this.strangers.return();
  }

  /** Wait until something is seen while a command runs; throws with what it said where it ends before. */
  async seen(running: Running, what: string, look: () => Promise<boolean>, seconds = 180): Promise<void> {
    let ended: Outcome | undefined;
    void running.ended.then((outcome) => (ended = outcome));
    await until(
      what,
      async () => {
        if (await look()) return true;
        if (ended) throw new Error(`up ended before: ${what}: ${JSON.stringify(ended)}`);
        return false;
      },
      { seconds, everyMs: 50 },
    );
  }

  /** Undo what any fault may have done to hosts and servers, and wait until every host answers. */
  async heal(): Promise<void> {
    this.stage.index.traffic.release();
    this.stage.hub.traffic.release();
    for (const host of this.hosts) {
      if (!(await host.isOn())) await host.boot();
      await host.heal();
      await host.exec(['rm', '-f', '/etc/windlass-lab/engine.json', `${root}/crash-at`], { user: 'root' });
      await host.waitForSsh();
    }
    await this.strangers.return();
  }

  async stop(): Promise<void> {
    await this.stage.stop();
  }
}

/** Ledger lines of a step since a moment. */
export async function linesOf(host: Host, step: string, since: number): Promise<LedgerLine[]> {
  return (await readLedger(host)).filter((line) => line.step === step && line.at >= since);
}

/** Processes of our units whose name matches. */
export async function processesOf(host: Host, unit: RegExp): Promise<HostProcess[]> {
  return (await host.processes()).filter(({ cgroup }) => unit.test(cgroup));
}

/** What a unit of a run has logged. */
export async function logOf(host: Host, unit: string): Promise<string> {
  const { stdout } = await host.exec(['sh', '-c', `cat ${root}/runs/${unit}*/log`], { reject: false });
  return stdout;
}
