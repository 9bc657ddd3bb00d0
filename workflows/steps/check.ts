/** Judge what was observed; nothing has been changed when this throws, and it names all problems of all nodes. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { CheckResult } from '../../src/cluster/checks/check.ts';
import { explainChecks } from '../../src/cluster/checks/explain.ts';
import { groupBy } from '../../src/cluster/checks/group.ts';
import { judgeAll } from '../../src/cluster/checks/judge.ts';
import type { RunRef } from '../../src/cluster/inputs.ts';
import type { Wait } from '../../src/cluster/waits.ts';
import type { ClusterSpec } from '../../src/config/schema.ts';
import type { AskPerson, Progress } from '../progress.ts';
import type { ObservedNode } from './observe.ts';
import { observeOne } from './observe.ts';

export interface Checked {
  readonly observed: readonly ObservedNode[];
  /** The run with what a person has allowed it. */
  readonly run: RunRef;
  /** What is not well and does not stand in the way. */
  readonly warnings: readonly CheckResult[];
}

/**
 * Failures that a person mends on the nodes are waited for: those nodes are observed and all is judged again. Any
 * other failure ends the run, since it takes another cluster file.
 */
export async function check(
  spec: ClusterSpec,
  run: RunRef,
  observed: readonly ObservedNode[],
  progress: Progress,
): Promise<Checked> {
  const { checked } = await progress.step(spec.name, 'check', async (ask) => ({
    changed: false,
    checked: await untilRight(spec, run, observed, ask, progress),
  }));
  return checked;
}

async function untilRight(
  spec: ClusterSpec,
  run: RunRef,
  given: readonly ObservedNode[],
  ask: AskPerson,
  progress: Progress,
): Promise<Checked> {
  const approved = new Set<string>();
  let observed = given;
  for (let hasWaited = false; ;) {
    const results = judgeAll(spec, observed);
    const failures = results.filter((each) => each.verdict === 'fail' && !isApproved(each, approved));
    if (failures.length === 0 && !hasWaited) {
      const warnings = results.filter(({ verdict }) => verdict === 'warn');
      return { observed, run: withOwnersReplaced(run, observed, approved), warnings };
    }
    if (failures.length === 0) {
      // What was seen on the other nodes before the wait may be days old.
      observed = await again(spec, observed, () => true, progress);
      hasWaited = false;
      continue;
    }
    if (!failures.every(({ canWait }) => canWait)) throw checksFailed(results);
    const answers = await ask(waitsOf(spec, failures));
    hasWaited = true;
    for (const each of failures) {
      if (answers.get(nodeOf(spec, each)) === 'approve' && each.approval !== undefined)
        approved.add(keyOf(each));
    }
    const concerned = failures.map((each) => nodeOf(spec, each));
    // Where nodes do not agree, the one that was mended may be another than the one that was named.
    const isAboutAll = failures.some(({ scope }) => scope === 'cluster');
    observed = await again(
      spec,
      observed,
      (node) => isAboutAll || (answers.size === 0 ? concerned.includes(node) : answers.has(node)),
      progress,
    );
  }
}

/** Observe some of the nodes again. */
async function again(
  spec: ClusterSpec,
  observed: readonly ObservedNode[],
  isMeant: (node: string) => boolean,
  progress: Progress,
): Promise<readonly ObservedNode[]> {
  const look = ({ node }: ObservedNode) => progress.mended(node.name, (ask) => observeOne(spec, node, ask));
  return progress.sideBySide(
    observed.map(({ node }) => node.name),
    observed.map((each) => () => (isMeant(each.node.name) ? look(each) : Promise.resolve(each))),
  );
}

/** An approval is for what it was said to mean: another problem of the same check and node waits again. */
const keyOf = ({ check: name, node, approval }: CheckResult): string =>
  JSON.stringify([name, node, approval]);

const isApproved = (result: CheckResult, approved: ReadonlySet<string>): boolean =>
  result.approval !== undefined && approved.has(keyOf(result));

const nodeOf = (spec: ClusterSpec, { node }: CheckResult): string => node ?? spec.name;

function waitsOf(spec: ClusterSpec, failures: readonly CheckResult[]): Omit<Wait, 'since'>[] {
  return groupBy(failures, (each) => nodeOf(spec, each)).map(([node, group]) => {
    const approvals = group.flatMap(({ approval }) => approval ?? []);
    return {
      node,
      step: 'check',
      code: 'CHECKS_FAILED',
      what: group
        .map(({ check: name, sentence, remedy = '' }) => `${node} · check ${name}: ${sentence}\n  ${remedy}`)
        .join('\n'),
      // One problem that nobody can approve still stops the run.
      approval: approvals.length === group.length ? approvals.join('; ') : null,
    };
  });
}

function checksFailed(results: readonly CheckResult[]): ApplicationFailure {
  const message = explainChecks(results);
  return ApplicationFailure.create({
    message,
    type: 'CHECKS_FAILED',
    nonRetryable: true,
    details: [{ code: 'CHECKS_FAILED', data: { message } }],
  });
}

/** Name the owners that a person has given up, so that the nodes let this run take their place. */
function withOwnersReplaced(
  run: RunRef,
  observed: readonly ObservedNode[],
  approved: ReadonlySet<string>,
): RunRef {
  const names = [...approved].map((key) => JSON.parse(key) as [check: string, node: string]);
  const replaces = observed.flatMap(({ node, facts }) => {
    const { owner } = facts.state;
    const isGiven = names.some(([name, ofNode]) => name === 'owner' && ofNode === node.name);
    const isOther = owner !== null && (owner.cluster !== run.cluster || owner.home !== run.home);
    return isGiven && isOther ? [{ node: node.id, cluster: owner.cluster, home: owner.home }] : [];
  });
  return replaces.length === 0 ? run : { ...run, replaces };
}
