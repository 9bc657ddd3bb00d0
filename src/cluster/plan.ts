/** What each node needs, computed from the spec and from what was observed. Pure: `plan` shows it, workflows follow it. */
import type { ClusterSpec, HardwareClass, SpecNode } from '../config/schema.ts';
import { fail } from '../errors.ts';
import type { WantedEnvironment } from './environments.ts';
import { environmentHash, proofKey, wantedEnvironment } from './environments.ts';
import type { NodeFacts } from './facts/types.ts';
import type { EnvironmentPlace } from './inputs.ts';
import { modelKey } from './models.ts';
import { hasRoceEverywhere, nodeVariables } from './network.ts';

export interface NodePlan {
  readonly node: SpecNode;
  readonly hardware: HardwareClass;
  readonly environment: WantedEnvironment;
  /** sha256 of the lock for this request that lies on the node. */
  readonly lock: string | null;
  /** Environments that are complete and as they were made. */
  readonly readyEnvironments: readonly string[];
  /** Keys of proofs that hold for this hardware. */
  readonly proofs: readonly string[];
  readonly model: { readonly key: string; readonly path: string | null; readonly commit: string | null };
  /** Environment of Ray and the engine. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface Observed {
  readonly node: SpecNode;
  readonly facts: NodeFacts;
  /** When the facts were read, by the clock of the reader; the node's own clock is compared with it. */
  readonly readAt?: number;
}

/** The class of a node: what the file says, or what was read. */
function hardwareOf({ node, facts }: Observed): HardwareClass {
  return node.hardware === 'auto' ? facts.hardware : node.hardware;
}

/** Plan all nodes together: some variables must be equal everywhere and depend on all classes. */
export function planNodes(spec: ClusterSpec, observed: readonly Observed[]): NodePlan[] {
  const shared = { classes: observed.map(hardwareOf), roceEverywhere: hasRoceEverywhere(observed) };
  return observed.map((each) => planNode(spec, each, shared));
}

interface Shared {
  readonly classes: readonly HardwareClass[];
  readonly roceEverywhere: boolean;
}

function planNode(spec: ClusterSpec, observed: Observed, shared: Shared): NodePlan {
  const { node, facts } = observed;
  const hardware = hardwareOf(observed);
  const environment = wantedEnvironment(spec, hardware, facts.machine ?? 'x86_64');
  const key = modelKey(spec);
  const model = facts.state.models.find(
    (each) => each.key === key && each.filesNow === each.files && each.bytesNow === each.bytes,
  );
  return {
    node,
    hardware,
    environment,
    lock: environment.kind === 'built' ? (facts.state.locks[environment.hash] ?? null) : null,
    readyEnvironments: facts.state.environments
      .filter((each) => each.listingNow === each.listing)
      .map((each) => each.hash),
    proofs: facts.state.proofs
      .filter((proof) => proof.hardware === hardware)
      .map((proof) => proof.environment),
    model: { key, path: model?.path ?? null, commit: model?.commit ?? null },
    variables: nodeVariables({ spec, node, facts, hardware, ...shared }),
  };
}

/** What a node still needs before a gang can start on it. */
export interface Needs {
  readonly environment: boolean;
  readonly proof: boolean;
  readonly model: boolean;
}

/** Compare a plan with the lock and the commit that the whole cluster uses. `lock` is null where none is known yet. */
export function needsOf(plan: NodePlan, lock: string | null, commit: string | null): Needs {
  const hash = environmentHashOf(plan, lock);
  const environment =
    plan.environment.kind === 'built' && (hash === null || !plan.readyEnvironments.includes(hash));
  const key = proofKey(plan.environment, hash);
  return {
    environment,
    proof: environment || key === null || !plan.proofs.includes(key),
    model: plan.model.path === null || (commit !== null && plan.model.commit !== commit),
  };
}

/** Name of the environment's folder, once the lock is known. */
export function environmentHashOf(plan: NodePlan, lock: string | null): string | null {
  return plan.environment.kind === 'own' || lock === null
    ? null
    : environmentHash(lock, plan.environment.request.python);
}

/** Where the interpreter of a planned node is. */
export function placeOf(spec: ClusterSpec, plan: NodePlan, lock: string | null): EnvironmentPlace {
  if (plan.environment.kind === 'own') {
    return {
      path: plan.environment.path,
      engine: spec.engine.name,
      engineVersion: spec.engine.version,
      rayVersion: spec.ray.version,
    };
  }
  const environment = environmentHashOf(plan, lock);
  if (environment === null) throw fail('INTERNAL', { message: `${plan.node.name} has no lock` });
  return { environment };
}
