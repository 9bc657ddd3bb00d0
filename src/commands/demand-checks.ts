/** Judge what was read over ssh before anything is placed. */
import { explainChecks } from '../cluster/checks/explain.ts';
import { judgeAll } from '../cluster/checks/judge.ts';
import type { ClusterFile } from '../config/schema.ts';
import { fail } from '../errors.ts';
import type { ReachedNode } from '../placing/reach.ts';
import type { CommandContext } from './context.ts';
import { observedOf } from './observed.ts';

/** Throws CHECKS_FAILED with all problems of all nodes; prints warnings. */
export function demandChecks(
  file: ClusterFile,
  reached: readonly ReachedNode[],
  { output }: CommandContext,
): void {
  const { spec, observed } = observedOf(file, reached);
  const results = judgeAll(spec, observed);
  if (results.some((result) => result.verdict === 'fail')) {
    throw fail('CHECKS_FAILED', {
      message: explainChecks(results),
      results: results.filter((each) => each.verdict === 'fail'),
    });
  }
  if (results.some((result) => result.verdict === 'warn')) output.note(explainChecks(results));
}
