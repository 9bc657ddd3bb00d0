/** The door of every workflow: one JSON object, validated in the workflow itself, so that a hand-typed start is safe. */
import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { canonicalJson } from '../src/cluster/hash.ts';
import type { RunRef } from '../src/cluster/inputs.ts';
import { ClusterSpec } from '../src/config/schema.ts';
import { checkSupported } from '../src/engines/supported.ts';

/** Check the input; a wrong one ends the run at once, naming the path of each problem. */
export function readSpec(input: unknown): ClusterSpec {
  const parsed = ClusterSpec.safeParse(input);
  if (parsed.success) {
    const { data } = parsed;
    if (!data.nodes.some((node) => node.name === data.head))
      throw invalid([`head: ${data.head} is not the name of one of the nodes`]);
    // A cluster file is asked for this before it becomes a spec; one that was typed by hand is not.
    const unsupported = checkSupported(data).map(({ path, message }) => `${path.join('.')}: ${message}`);
    if (unsupported.length > 0) throw invalid(unsupported);
    return data;
  }
  throw invalid(parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`));
}

function invalid(all: readonly string[]): ApplicationFailure {
  const problems = all.join('; ').slice(0, 1500);
  return ApplicationFailure.create({
    message: `the workflow input is not a cluster spec: ${problems}`,
    type: 'SPEC_INVALID',
    nonRetryable: true,
    details: [{ code: 'SPEC_INVALID', data: { problems } }],
  });
}

/** Two specs are the same when their JSON with sorted keys is. */
export const sameSpec = (a: ClusterSpec, b: ClusterSpec): boolean => canonicalJson(a) === canonicalJson(b);

/** Who asks, for the fence on the nodes: a run that started later wins. */
export function runRef(spec: ClusterSpec): RunRef {
  const { runId, startTime } = workflowInfo();
  const home = spec.nodes.find((node) => node.name === spec.head)?.id ?? '';
  return { cluster: spec.name, home, fence: { startedAt: startTime.getTime(), run: runId } };
}
