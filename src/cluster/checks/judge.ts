/** Runs the checks over what was observed. All problems of all nodes come at once; nothing is changed or read here. */
import type { Check, CheckResult, CheckedSpec, Judgement, Observed } from './check.ts';
import { clusterChecks, nodeChecks } from './index.ts';

/** Judge what concerns the nodes together. */
export function judgeCluster(spec: CheckedSpec, nodes: readonly Observed[]): CheckResult[] {
  return clusterChecks.flatMap((check) => results(check, null, check.judge({ spec, nodes })));
}

/** Judge every node and then the cluster. */
export function judgeAll(spec: CheckedSpec, nodes: readonly Observed[]): CheckResult[] {
  const homeId = homeIdOf(spec, nodes);
  return [...nodes.flatMap((observed) => judgeNode(spec, observed, homeId)), ...judgeCluster(spec, nodes)];
}

function judgeNode(spec: CheckedSpec, observed: Observed, homeId: string | null): CheckResult[] {
  return nodeChecks.flatMap((check) =>
    results(check, observed.node.name, check.judge({ spec, homeId, ...observed })),
  );
}

/** The head's id, from the spec or, before ids are in it, from the head itself. */
function homeIdOf({ head, nodes }: CheckedSpec, observed: readonly Observed[]): string | null {
  const given = nodes.find((node) => node.name === head)?.id;
  return given ?? observed.find(({ node }) => node.name === head)?.facts.state.identity?.id ?? null;
}

function results(
  { name, title, scope }: Check,
  node: string | null,
  judged: Judgement | readonly Judgement[],
): CheckResult[] {
  const all = 'verdict' in judged ? [judged] : judged;
  return all.map((judgement) => ({ check: name, title, scope, ...judgement, node: judgement.node ?? node }));
}
