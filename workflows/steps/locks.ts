/** One lock per hardware class and one commit per model: what a node of the cluster holds already, else resolved once. */
import type { EnvironmentRequest } from '../../src/cluster/environments.ts';
import type { Lock, RunRef } from '../../src/cluster/inputs.ts';
import type { NodePlan } from '../../src/cluster/plan.ts';
import type { ClusterSpec } from '../../src/config/schema.ts';
import { acts, probes } from '../activities.ts';
import { workflowFailure } from '../failures.ts';
import type { Progress } from '../progress.ts';

/** A lock by its hash, with its text where some node still lacks it. */
export type KnownLock = Pick<Lock, 'sha256'> & Partial<Lock>;

interface BuiltPlan {
  readonly plan: NodePlan;
  readonly request: EnvironmentRequest;
}

/** Request hash → lock. */
export async function resolveLocks(
  spec: ClusterSpec,
  run: RunRef,
  plans: readonly NodePlan[],
  progress: Progress,
): Promise<ReadonlyMap<string, KnownLock>> {
  const byRequest = new Map<string, BuiltPlan[]>();
  for (const plan of plans) {
    if (plan.environment.kind !== 'built') continue;
    const { hash, request } = plan.environment;
    byRequest.set(hash, [...(byRequest.get(hash) ?? []), { plan, request }]);
  }
  const requests = [...byRequest];
  const locks = await progress.sideBySide(
    requests.map(([, built]) => resolverOf(built)?.plan.node.name ?? ''),
    requests.map(([hash, built]) => async (): Promise<[string, KnownLock]> => [
      hash,
      await lockOf(spec, run, hash, built, progress),
    ]),
  );
  return new Map(locks);
}

/** A node that holds the lock already, else the first that wants it. */
const resolverOf = (built: readonly BuiltPlan[]): BuiltPlan | undefined =>
  built.find(({ plan }) => plan.lock !== null) ?? built[0];

async function lockOf(
  spec: ClusterSpec,
  run: RunRef,
  hash: string,
  built: readonly BuiltPlan[],
  progress: Progress,
): Promise<KnownLock> {
  const resolver = resolverOf(built);
  if (resolver === undefined) throw workflowFailure('INTERNAL', { message: 'a request without a node' });
  const { plan, request } = resolver;
  const known = plan.lock;
  const base = { run, node: plan.node.id, root: spec.root };
  if (known !== null && built.every((each) => each.plan.lock === known)) {
    progress.alreadyRight(plan.node.name, 'lock packages');
    return { sha256: known };
  }
  const { lock } = await progress.step(plan.node.name, 'lock packages', async () => {
    if (known !== null)
      return { changed: false, lock: await probes(plan.node, 'read lock').readLock({ ...base, hash }) };
    const resolved = await acts(plan.node, 'lock packages', plan.hardware).resolveLock({
      ...base,
      request: mutable(request),
      hash,
      hardware: plan.hardware,
    });
    return { changed: true, lock: resolved, what: `${resolved.packages} packages for ${plan.hardware}` };
  });
  return lock;
}

/** The same request in the shape that activities take. */
export const mutable = (request: EnvironmentRequest) => ({
  ...request,
  packages: [...request.packages],
  extraIndexes: [...request.extraIndexes],
  findLinks: [...request.findLinks],
  machine: request.machine === 'aarch64' ? ('aarch64' as const) : ('x86_64' as const),
});

/** The commit that all nodes stage; null for a model given by path. */
export async function resolveCommit(
  spec: ClusterSpec,
  run: RunRef,
  plans: readonly NodePlan[],
  progress: Progress,
): Promise<string | null> {
  const { model } = spec;
  if ('path' in model) return null;
  if (/^[0-9a-f]{40}$/.test(model.revision)) return model.revision;
  const held = plans.map((plan) => plan.model.commit).find((commit) => commit !== null);
  if (held !== undefined) return held;
  const head = plans.find((plan) => plan.node.name === spec.head);
  if (!head) return null;
  const { commit } = await progress.step(head.node.name, 'stage model', async () => {
    const resolved = await acts(head.node, 'stage model', model.revision).resolveModel(
      modelInput(spec, run, head, null),
    );
    return { ...resolved, changed: false, what: `${model.revision} is ${resolved.commit.slice(0, 12)}` };
  });
  return commit;
}

/** What staging takes. The hub's client comes from the index of the node's class. */
export function modelInput(spec: ClusterSpec, run: RunRef, plan: NodePlan, commit: string | null) {
  const { model } = spec;
  const request = plan.environment.kind === 'built' ? plan.environment.request : null;
  return {
    run,
    node: plan.node.id,
    root: spec.root,
    key: plan.model.key,
    model:
      'path' in model
        ? { path: model.path }
        : { id: model.id, revision: model.revision, endpoint: model.endpoint },
    ...(commit !== null && { commit }),
    index: request?.index ?? 'https://pypi.org/simple',
    python: request?.python ?? '3',
    allowPickle: spec.model.allowPickle,
    withToken: spec.secrets.includes('huggingFaceToken'),
  };
}
