/** What `up` would change on each node, and what it would run there. Pure; `windlass plan` shows it. */
import { sglangArguments } from '../engines/sglang.ts';
import type { ClusterSpec } from '../config/schema.ts';
import type { Found } from './found.ts';
import { findGang, gangUnitsOf, nothingFound } from './found.ts';
import type { Member, PreparedNode, WantedGang } from './gang.ts';
import { members, wantedGang } from './gang.ts';
import type { EnvironmentPlace } from './inputs.ts';
import type { Needs, NodePlan, Observed } from './plan.ts';
import { needsOf, placeOf, planNodes } from './plan.ts';

export interface PlannedNode {
  readonly node: string;
  readonly address: string;
  readonly hardware: string;
  readonly changes: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly commands: readonly string[];
}

/** One node with what is known of it before anything is done. */
interface Known {
  readonly plan: NodePlan;
  readonly observed: Observed;
  readonly lock: string | null;
  readonly needs: Needs;
}

/**
 * What `up` would do on each node, in the order of the file. `versions` are those of windlass that the nodes shall have,
 * by name.
 */
export function plannedNodes(
  spec: ClusterSpec,
  observed: readonly Observed[],
  versions: ReadonlyMap<string, string> = new Map(),
): PlannedNode[] {
  const plans = planNodes(spec, observed);
  const commit = plans.find((other) => other.model.commit !== null)?.model.commit ?? null;
  const known = observed.flatMap((each, at): Known[] => {
    const plan = plans[at];
    if (!plan) return [];
    const lock =
      plan.lock ?? plans.find((other) => sameRequest(other, plan) && other.lock !== null)?.lock ?? null;
    return [{ plan, observed: each, lock, needs: needsOf(plan, lock, commit) }];
  });
  const gang = wantedGang(
    spec,
    known.map((each) => preparedAs(spec, each)),
  );
  const found = known.every(isDefined) ? findGang(gang, observed) : replaced(known, gang);
  return known.map((each) => ({
    node: each.plan.node.name,
    address: each.plan.node.address,
    hardware: each.plan.hardware,
    changes: [
      ...placing(each, versions.get(each.plan.node.name)),
      ...preparation(each),
      ...starts(each, found, each.plan.node.name === spec.head),
    ],
    variables: each.plan.variables,
    commands: members(gang)
      .filter(({ prepared }) => prepared.node === each.plan.node)
      .flatMap((member) => commandsOf(member, gang)),
  }));
}

/** What will run on a node, for a reader: as by hand, without the paths of the environment. */
function commandsOf({ ray }: Member, { engine }: WantedGang): string[] {
  const join = ray.role === 'head' ? `--head --port=${ray.port}` : `--address=${ray.headAddress}:${ray.port}`;
  const start = `ray start --block ${join} --node-ip-address=${ray.nodeAddress} --num-gpus=${ray.gpus}`;
  if (ray.role !== 'head') return [start];
  const parts = sglangArguments({ ...engine, modelPath: engine.model }).join(' ');
  return [start, `python -m sglang.launch_server ${parts}`];
}

/** Whether it is known already by which environment and model this node will serve. */
const isDefined = ({ plan, lock }: Known): boolean =>
  (plan.environment.kind === 'own' || lock !== null) && plan.model.path !== null;

/** A node as it will be; what is not known yet, the hash of a lock and the folder of a model, is told by its name. */
function preparedAs(spec: ClusterSpec, known: Known): PreparedNode {
  const { plan, lock } = known;
  const unknown: EnvironmentPlace = { environment: '0'.repeat(16) };
  return {
    node: plan.node,
    hardware: plan.hardware,
    place: plan.environment.kind === 'built' && lock === null ? unknown : placeOf(spec, plan, lock),
    variables: plan.variables,
    modelPath: plan.model.path ?? '<snapshot of the model>',
  };
}

/** A gang on an environment or a model that is still to come replaces whatever runs. */
function replaced(known: readonly Known[], gang: WantedGang): Found {
  const runsSomething = (node: string) =>
    gangUnitsOf(known.find(({ plan }) => plan.node.name === node)?.observed.facts).length > 0;
  return {
    ...nothingFound,
    leftovers: members(gang).filter(({ prepared }) => runsSomething(prepared.node.name)),
  };
}

function placing({ observed }: Known, version: string | undefined): string[] {
  const { payload } = observed.facts.state;
  if (payload === null) return ['place the node worker'];
  return version === undefined || payload === version
    ? []
    : [`place windlass ${version}, in place of ${payload}`];
}

function preparation({ plan, lock, needs }: Known): string[] {
  const built = plan.environment.kind === 'built' ? plan.environment.request : null;
  return [
    ...(built && lock === null ? ['lock packages'] : []),
    ...(built && needs.environment
      ? [`provision venv (Python ${built.python})`, `install wheels: ${built.packages.join(' ')}`]
      : []),
    ...(needs.proof ? ['verify torch arch'] : []),
    ...(needs.model ? ['stage model'] : []),
  ];
}

function starts({ plan, observed }: Known, found: Found, isHead: boolean): string[] {
  const isLeft = found.leftovers.some(({ prepared }) => prepared.node === plan.node);
  const units = gangUnitsOf(observed.facts).map(({ name }) => name);
  return [
    ...(isLeft ? [`stop old gang: ${units.join(', ')}`] : []),
    ...(found.ray ? [] : [isHead ? 'start head' : 'join workers']),
    ...(isHead && !found.engine ? ['launch server'] : []),
  ];
}

const sameRequest = (a: NodePlan, b: NodePlan): boolean =>
  a.environment.kind === 'built' &&
  b.environment.kind === 'built' &&
  a.environment.hash === b.environment.hash;
