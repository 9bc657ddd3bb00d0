/**
 * Scripted nodes: the activities of a node worker with their real names, inputs and doors, answered from a state in
 * memory that they change as the real ones change a machine. Tests of workflows run against them.
 */
import { Context, sleep } from '@temporalio/activity';
import type { z } from 'zod';
import { nodeContext } from '../../activities/context.ts';
import { define } from '../../activities/define.ts';
import type { ActActivities, ProbeActivities } from '../../activities/index.ts';
import type { NodeFacts } from '../../src/cluster/facts/types.ts';
import { engineUnitName, rayUnitName } from '../../src/cluster/gang.ts';
import { digest, sha256Hex } from '../../src/cluster/hash.ts';
import * as inputs from '../../src/cluster/inputs.ts';
import { engineUnitPrefix } from '../../src/cluster/layout.ts';
import type { NodeState, Proof, UnitState } from '../../src/cluster/state.ts';
import type { ClusterSpec, SpecNode } from '../../src/config/schema.ts';
import { ClusterSpec as Spec } from '../../src/config/schema.ts';
import { fail } from '../../src/errors.ts';
import { observed, spec as seed } from '../unit/checks/cluster.ts';
import { Faults } from './node-faults.ts';

type Activities = ActActivities & ProbeActivities;
export type ActivityName = keyof Activities;
type Locked = { readonly run: inputs.RunRef };

/** One call of an activity. `began` and `ended` order all calls of the cluster; `ended` is null while it runs. */
export interface Call {
  readonly activity: ActivityName;
  readonly node: string;
  readonly input: unknown;
  readonly began: number;
  ended: number | null;
}

/** The commit that the model's branch stands for. */
export const commit = 'c'.repeat(40);

/**
 * The seed's four nodes under another cluster name, with ids of their own; each class wants other packages. Nobody
 * keeps what a test has brought up, unless it says so.
 */
export function seedSpec(name: string, parts: Readonly<Record<string, unknown>> = {}): ClusterSpec {
  const nodes = seed.nodes.map((node) => ({ ...node, id: digest({ name, node: node.name }) }));
  const environments = { spark: {}, thor: { packages: ['sglang-kernel==0.4.7'] } };
  return Spec.parse({ ...seed, name, nodes, environments, keeper: { enabled: false }, ...parts });
}

/** All nodes of one spec, the calls that reached them, and the faults that wait for them. */
export class ScriptedCluster {
  readonly faults = new Faults();
  readonly calls: Call[] = [];
  readonly nodes: readonly ScriptedNode[];
  readonly spec: ClusterSpec;
  private clock = 0;

  constructor(spec: ClusterSpec) {
    this.spec = spec;
    this.nodes = observed({}, spec).map(
      ({ facts }, at) => new ScriptedNode(this, spec.nodes[at] ?? missing(String(at)), facts),
    );
  }

  node(name: string): ScriptedNode {
    return this.nodes.find((each) => each.spec.name === name) ?? missing(name);
  }

  get head(): ScriptedNode {
    return this.node(this.spec.head);
  }

  callsOf(activity: ActivityName): Call[] {
    return this.calls.filter((call) => call.activity === activity);
  }

  /** Inputs of all calls of an activity, in the order of the calls. */
  inputsOf<Name extends ActivityName>(activity: Name): Parameters<Activities[Name]>[0][] {
    return this.callsOf(activity).map((call) => call.input as Parameters<Activities[Name]>[0]);
  }

  /** How often each activity was called; the others do not appear. */
  get counts(): Partial<Record<ActivityName, number>> {
    const counts: Partial<Record<ActivityName, number>> = {};
    for (const { activity } of this.calls) counts[activity] = (counts[activity] ?? 0) + 1;
    return counts;
  }

  /** Note a call, meet the faults, act, note the end. */
  async serve<T>(activity: ActivityName, node: string, input: unknown, act: () => Promise<T>): Promise<T> {
    const call: Call = { activity, node, input, began: (this.clock += 1), ended: null };
    this.calls.push(call);
    try {
      await this.faults.meet(activity, node);
      return await act();
    } finally {
      call.ended = this.clock += 1;
    }
  }
}

/** One node: what is on it, and the activities that look at it and change it. */
export class ScriptedNode {
  readonly spec: SpecNode;
  readonly units = new Set<string>();
  /** The rank's process; Ray and the engine's own go on without it. */
  rankLives = true;
  /** Its server, with all ranks alive, answers nobody until it is launched anew. */
  hangs = false;
  /** Somebody has removed windlass's folder under the units that run. */
  unitsLost: NonNullable<UnitState['lost']> | null = null;
  /** How far its clock is ahead. */
  clockAheadMs = 0;
  state: NodeState;
  /** What the next look finds; replace parts of it to make a check fail. */
  facts: NodeFacts;
  private readonly cluster: ScriptedCluster;

  constructor(cluster: ScriptedCluster, spec: SpecNode, facts: NodeFacts) {
    this.cluster = cluster;
    this.spec = spec;
    this.facts = facts;
    this.state = { ...facts.state, identity: { id: spec.id, mintedAt: 1 } };
  }

  /** Forget the environment, its lock and its proof; the model stays. */
  loseEnvironment(): void {
    this.state = { ...this.state, locks: {}, environments: [], proofs: [] };
  }

  get acts(): ActActivities {
    return {
      resolveLock: this.door('resolveLock', inputs.LockInput, (input) => {
        this.hold(input);
        return this.lock(input.hash, sha256Hex(JSON.stringify(input.request)));
      }),
      provisionVenv: this.door('provisionVenv', inputs.VenvInput, (input) => {
        this.hold(input);
        const { python } = input.request;
        return { changed: true, what: `Python ${python}`, python };
      }),
      installWheels: this.door('installWheels', inputs.WheelsInput, (input) => this.install(input)),
      verifyTorchArch: this.door('verifyTorchArch', inputs.ProofInput, (input) => this.prove(input)),
      resolveModel: this.door('resolveModel', inputs.ModelInput, () => ({ commit })),
      stageModel: this.door('stageModel', inputs.ModelInput, (input) => this.stage(input)),
      ensureRay: this.door('ensureRay', inputs.RayInput, (input) => {
        if (input.ray.role === 'worker' && ![...this.cluster.head.units].some(isRay)) {
          throw fail('RAY_HEAD_UNREACHABLE', { address: input.ray.headAddress, reason: 'ECONNREFUSED' });
        }
        return this.start(rayUnitName(input.ray), input, `started the Ray ${input.ray.role}`);
      }),
      confirmRayNodes: this.door('confirmRayNodes', inputs.RayNodesInput, ({ expected }) => {
        const without = this.cluster.nodes.filter(({ units }) => ![...units].some(isRay));
        if (without.length > 0) throw fail('RAY_COUNT', { difference: `${without.length} are missing` });
        return { nodes: expected.length, gpus: expected.reduce((sum, { gpus }) => sum + gpus, 0) };
      }),
      launchServer: this.door('launchServer', inputs.EngineInput, (input) => {
        for (const node of this.cluster.nodes) node.rankLives = true;
        this.hangs = false;
        return this.start(engineUnitName(input.engine), input, `launched ${input.engine.engine}`);
      }),
      confirmReady: this.door('confirmReady', inputs.ReadyInput, ({ engine }) => {
        if (!this.units.has(engineUnitName(engine))) throw fail('ENGINE_EXITED', { phase: 'starting' });
        return { phases: { 'loading weights': 1.5, ready: 0 } };
      }),
      smokeTest: this.door('smokeTest', inputs.SmokeInput, () => {
        if (![...this.units].some((unit) => unit.startsWith(engineUnitPrefix))) {
          throw fail('SMOKE_FAILED', { evidence: 'ECONNREFUSED' });
        }
        const answer = { prompt: 'Say hello', answer: 'Hello.', tokens: 2, streamedChunks: 2 };
        return { ...answer, answerMs: 40, firstTokenMs: 20, at: Date.now() };
      }),
    };
  }

  get probes(): ProbeActivities {
    return {
      observeNode: this.door('observeNode', inputs.ObserveInput, () => this.look()),
      readLock: this.door('readLock', inputs.ReadLockInput, ({ hash }) =>
        this.lock(hash, this.state.locks[hash] ?? missing(`the lock ${hash}`)),
      ),
      watchGangUnit: this.door('watchGangUnit', inputs.WatchInput, async ({ unit }) => {
        await whileTrue(() => this.units.has(unit));
        throw fail('RAY_FAILED', { evidence: `the unit ${unit} is gone`, log: '' });
      }),
      confirmRanks: this.door('confirmRanks', inputs.RanksInput, ({ unit, gpus }) => {
        const ranks = this.ranksIn(unit);
        if (ranks < gpus) throw fail('RANK_MISSING', { ranks, wanted: gpus, unit });
        return { ranks };
      }),
      watchRank: this.door('watchRank', inputs.RanksInput, async ({ unit, gpus }) => {
        await whileTrue(() => this.ranksIn(unit) >= gpus);
        throw fail('RANK_MISSING', { ranks: this.ranksIn(unit), wanted: gpus, unit });
      }),
      watchServer: this.door('watchServer', inputs.ServerInput, async ({ unit }) => {
        await whileTrue(() => this.units.has(unit) && !this.hangs);
        if (this.hangs) throw fail('ENGINE_STUCK', { phase: 'serving', why: 'no answer', log: '' });
        throw fail('ENGINE_EXITED', { phase: 'serving' });
      }),
      stopGangUnits: this.door('stopGangUnits', inputs.StopInput, ({ keep }) => {
        const stopped = [...this.units].filter((unit) => !keep.includes(unit));
        for (const unit of stopped) this.units.delete(unit);
        if (this.units.size === 0) this.unitsLost = null;
        return stopped.length === 0
          ? { changed: false }
          : { changed: true, what: `stopped ${stopped.join(', ')}` };
      }),
    };
  }

  private door<Schema extends z.ZodType<{ readonly node: string }>, Result>(
    activity: ActivityName,
    schema: Schema,
    act: (input: z.output<Schema>) => Result | Promise<Result>,
  ): (input: z.input<Schema>) => Promise<Result> {
    const context = nodeContext({
      id: this.spec.id,
      root: '/nowhere',
      scriptPath: '/nowhere',
      inherited: {},
    });
    return define(context, schema, (input) =>
      this.cluster.serve(activity, this.spec.name, input, async () => act(input)),
    );
  }

  /** The node belongs to whoever acts on it, unless another cluster has it and nobody gave it to this run. */
  private hold({ run: { cluster, home, fence, replaces = [] } }: Locked): void {
    const { owner } = this.state;
    const isGiven = replaces.some((each) => each.node === this.spec.id && each.cluster === owner?.cluster);
    if (owner && owner.cluster !== cluster && !isGiven) {
      throw fail('NODE_OWNED', { owner: owner.cluster, home: owner.home });
    }
    this.state = { ...this.state, owner: { cluster, home, fence } };
  }

  private look(): NodeFacts {
    const units = [...this.units].map((name) => ({
      name: `${name}.service`,
      active: 'active' as const,
      mainPid: 100,
      processes: isRay(name) ? [helper, ...Array.from({ length: this.ranksIn(name) }, () => rank)] : [],
      result: null,
      ...(this.unitsLost && { lost: this.unitsLost }),
    }));
    return { ...this.facts, clock: Date.now() + this.clockAheadMs, state: { ...this.state, units } };
  }

  /** A Ray unit has the node's one rank as long as an engine runs on the head, unless it died. */
  private ranksIn(unit: string): number {
    const engine = [...this.cluster.head.units].some((each) => each.startsWith(engineUnitPrefix));
    return isRay(unit) && this.units.has(unit) && engine && this.rankLives ? 1 : 0;
  }

  private lock(hash: string, sha256: string): inputs.Lock {
    this.state = { ...this.state, locks: { ...this.state.locks, [hash]: sha256 } };
    return { sha256, packages: 3, bytes: 3000, text: `lock ${sha256}` };
  }

  private install(input: inputs.WheelsInput) {
    const { environment: hash, requestHash, request, lock } = input;
    if (lock.text === undefined && this.state.locks[requestHash] !== lock.sha256) {
      throw fail('LOCK_FAILED', { class: 'this node', evidence: 'the lock is not there' });
    }
    this.hold(input);
    this.lock(requestHash, lock.sha256);
    const listing = sha256Hex(hash);
    const counted = { packages: lock.packages, bytes: lock.bytes, at: Date.now() };
    const made = { hash, request: requestHash, lock: lock.sha256, python: request.python, ...counted };
    const others = this.state.environments.filter((each) => each.hash !== hash);
    this.state = { ...this.state, environments: [...others, { ...made, listing, listingNow: listing }] };
    return { changed: true, what: `${lock.packages} packages` };
  }

  private prove(input: inputs.ProofInput): Proof {
    const [gpu] = this.facts.gpus;
    const proof: Proof = {
      environment: input.proof,
      hardware: input.hardware,
      capability: gpu?.capability ?? '?',
      device: gpu?.name ?? '?',
      driver: this.facts.driver,
      torch: '2.13.0',
      archList: ['sm_110', 'sm_120'],
      kernelPackage: 'sglang-kernel 0.4.7',
      assembler: 'ptxas 13.0',
      ran: ['matmul'],
      at: Date.now(),
    };
    this.state = { ...this.state, proofs: [...this.state.proofs, proof] };
    return proof;
  }

  private stage(input: inputs.ModelInput) {
    this.hold(input);
    const size = { files: 3, bytes: 60, at: Date.now() };
    const model = 'path' in input.model ? input.model.path : input.model.id;
    const marker = { key: input.key, model, commit: input.commit ?? null, path: '/models/seed', ...size };
    const others = this.state.models.filter((each) => each.key !== input.key);
    this.state = { ...this.state, models: [...others, { ...marker, filesNow: 3, bytesNow: 60 }] };
    return { changed: true, marker, what: `staged ${model}` };
  }

  private start(unit: string, input: Locked, what: string) {
    if (this.units.has(unit)) return { changed: false };
    this.hold(input);
    this.units.add(unit);
    return { changed: true, what };
  }
}

/** Last for as long as something holds, with signs of life. */
async function whileTrue(holds: () => boolean): Promise<void> {
  while (holds()) {
    Context.current().heartbeat();
    await sleep(50);
  }
}

const helper = { pid: 199, startTicks: 1, command: 'ray::RuntimeEnvAgent' };
const rank = { pid: 200, startTicks: 1, command: 'ray::SchedulerActor.run_event_loop' };

const isRay = (unit: string): boolean => unit.startsWith('windlass-ray-');

function missing(what: string): never {
  throw new Error(`${what} is not there`);
}
