/** End the keeper, stop what runs started on every node, and prove that it is gone: engine first, then Ray, then acts that still run. */
import { setHandler, workflowInfo } from '@temporalio/workflow';
import { endpointsOf } from '../src/cluster/gang.ts';
import { clusterWorkflowId, keeperWorkflowId } from '../src/cluster/names.ts';
import type { TearDownReport } from '../src/cluster/report.ts';
import { stops } from './activities.ts';
import { allOf } from './failures.ts';
import { specQuery } from './messages.ts';
import { Progress } from './progress.ts';
import { readSpec, runRef } from './spec.ts';
import type { SpecNode } from '../src/config/schema.ts';
import { handOverTearDown } from './hand-over.ts';
import { endKeeper } from './steps/hand-to-keeper.ts';
import { asSilence } from './steps/silent.ts';

/** Takes the same cluster spec as a bring-up. Nothing there is no error. */
export async function tearDownCluster(input: unknown): Promise<TearDownReport> {
  const spec = readSpec(input);
  if (workflowInfo().workflowId !== clusterWorkflowId(spec.name)) return handOverTearDown(spec);
  setHandler(specQuery, () => spec, { description: 'The cluster spec of this run.' });
  // The keeper itself stops a gang in this way before it waits for a person.
  if (workflowInfo().parent?.workflowId !== keeperWorkflowId(spec.name)) await endKeeper(spec.name);
  const progress = new Progress(spec.name);
  const run = runRef(spec);
  const stop = async (node: SpecNode) => {
    const result = await progress.step(node.name, 'stop old gang', () =>
      stops(node)
        .stopGangUnits({
          run,
          node: node.id,
          root: spec.root,
          keep: [],
          ports: endpointsOf(spec, node),
          what: 'all',
        })
        .catch((error: unknown) => {
          throw asSilence(error, node);
        }),
    );
    return { node: node.name, changed: result.changed, what: result.what ?? 'nothing was running' };
  };
  const head = spec.nodes.filter((node) => node.name === spec.head);
  const others = spec.nodes.filter((node) => node.name !== spec.head);
  const first = allOf(head.map(stop));
  const then = first.catch(() => undefined).then(() => allOf(others.map(stop)));
  const stopped = (await allOf([first, then])).flat();
  return {
    cluster: spec.name,
    changes: stopped.filter((each) => each.changed).length,
    stopped: stopped.map(({ node, what }) => ({ node, what })),
  };
}
