/** `windlass plan`: node by node what `up` would change, the commands and the environment; changes nothing. */
import { wantedEngine, wantedRay } from '../cluster/gang.ts';
import type { NodePlan } from '../cluster/plan.ts';
import { environmentHashOf, needsOf, planNodes } from '../cluster/plan.ts';
import { loadClusterFile } from '../config/load.ts';
import type { ClusterFile, ClusterSpec } from '../config/schema.ts';
import { Exit } from '../errors.ts';
import { sglangArguments } from '../engines/sglang.ts';
import { reachNodes } from '../placing/reach.ts';
import type { ReachedNode } from '../placing/reach.ts';
import type { CommandContext } from './context.ts';
import { demandChecks } from './demand-checks.ts';
import { observedOf } from './observed.ts';

interface PlannedNode {
  readonly node: string;
  readonly address: string;
  readonly hardware: string;
  readonly changes: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly commands: readonly string[];
}

export async function plan(path: string, context: CommandContext): Promise<number> {
  const { output } = context;
  const { file } = await loadClusterFile(path);
  const reached = await reachNodes(file, context.env);
  try {
    demandChecks(file, reached, context);
    const { spec, observed } = observedOf(file, reached);
    const plans = planNodes(spec, observed);
    const planned = plans.map((each, at) => planNode(file, spec, plans, each, reached[at]));
    for (const each of planned) output.line(explain(each));
    output.line(
      planned.every((each) => each.changes.length === 0) ? 'Nothing would change.' : 'windlass up does this.',
    );
    output.result({ ok: true, nodes: planned });
    return Exit.done;
  } finally {
    for (const { connection } of reached) connection.close();
  }
}

function planNode(
  file: ClusterFile,
  spec: ClusterSpec,
  all: readonly NodePlan[],
  each: NodePlan,
  reached: ReachedNode | undefined,
): PlannedNode {
  const lock =
    each.lock ?? all.find((other) => sameRequest(other, each) && other.lock !== null)?.lock ?? null;
  const needs = needsOf(each, lock, all.find((other) => other.model.commit !== null)?.model.commit ?? null);
  const place =
    lock === null
      ? { path: '~/.local/share/windlass/envs/<hash of the lock>' }
      : { environment: environmentHashOf(each, lock) ?? '' };
  const prepared = {
    node: each.node,
    hardware: each.hardware,
    place: placeText(place),
    variables: each.variables,
    modelPath: each.model.path ?? '<snapshot of the model>',
  };
  const head = file.nodes.find((node) => node.name === file.head);
  const ray = wantedRay(spec, { ...prepared, place: { environment: '0'.repeat(16) } }, head?.address ?? '');
  const engine =
    each.node.name === spec.head
      ? wantedEngine(spec, { ...prepared, place: { environment: '0'.repeat(16) } })
      : null;
  const units =
    reached?.facts.state.units.filter((unit) => unit.active === 'active').map((unit) => unit.name) ?? [];
  return {
    node: each.node.name,
    address: each.node.address,
    hardware: each.hardware,
    changes: [
      ...(reached?.facts.state.payload == null ? ['place the node worker'] : []),
      ...(lock === null && each.environment.kind === 'built' ? ['lock packages'] : []),
      ...(needs.environment && each.environment.kind === 'built'
        ? [
            `provision venv (Python ${each.environment.request.python})`,
            `install wheels: ${each.environment.request.packages.join(' ')}`,
          ]
        : []),
      ...(needs.proof ? ['verify torch arch'] : []),
      ...(needs.model ? ['stage model'] : []),
      ...(units.some((unit) => unit.startsWith('windlass-ray-'))
        ? []
        : [ray.role === 'head' ? 'start head' : 'join workers']),
      ...(engine && !units.some((unit) => unit.startsWith('windlass-engine-')) ? ['launch server'] : []),
    ],
    variables: each.variables,
    commands: [
      `ray start --block ${ray.role === 'head' ? `--head --port=${ray.port}` : `--address=${ray.headAddress}:${ray.port}`} --node-ip-address=${ray.nodeAddress} --num-gpus=${ray.gpus}`,
      ...(engine
        ? [
            `python -m sglang.launch_server ${sglangArguments({ ...engine, modelPath: engine.model }).join(' ')}`,
          ]
        : []),
    ],
  };
}

const placeText = (place: { path: string } | { environment: string }) => place as { environment: string };

const sameRequest = (a: NodePlan, b: NodePlan): boolean =>
  a.environment.kind === 'built' &&
  b.environment.kind === 'built' &&
  a.environment.hash === b.environment.hash;

function explain(each: PlannedNode): string {
  return [
    `${each.node} (${each.address}, ${each.hardware})`,
    ...(each.changes.length === 0 ? ['  = nothing'] : each.changes.map((change) => `  + ${change}`)),
    ...each.commands.map((command) => `  $ ${command}`),
    ...Object.entries(each.variables).map(([name, value]) => `    ${name}=${value}`),
    '',
  ].join('\n');
}
