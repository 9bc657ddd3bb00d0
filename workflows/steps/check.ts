/** Judge what was observed; nothing has been changed when this throws, and it names all problems of all nodes. */
import { ApplicationFailure } from '@temporalio/workflow';
import { explainChecks } from '../../src/cluster/checks/explain.ts';
import { judgeAll } from '../../src/cluster/checks/judge.ts';
import type { ClusterSpec } from '../../src/config/schema.ts';
import type { Progress } from '../progress.ts';
import type { ObservedNode } from './observe.ts';

export async function check(
  spec: ClusterSpec,
  observed: readonly ObservedNode[],
  progress: Progress,
): Promise<void> {
  await progress.step(spec.name, 'check', () => {
    const results = judgeAll(spec, observed);
    if (!results.some((result) => result.verdict === 'fail')) return Promise.resolve({ changed: false });
    const message = explainChecks(results);
    throw ApplicationFailure.create({
      message,
      type: 'CHECKS_FAILED',
      nonRetryable: true,
      details: [{ code: 'CHECKS_FAILED', data: { message } }],
    });
  });
}
