/** The last proof: a completion and a stream through all ranks, the right model, and a rank alive on its own node. */
import { condition, sleep } from '@temporalio/workflow';
import { servedName } from '../../src/cluster/models.ts';
import type { Found } from '../../src/cluster/found.ts';
import type { Member } from '../../src/cluster/gang.ts';
import { apiAddress, members } from '../../src/cluster/gang.ts';
import type { SmokeReport } from '../../activities/smoke.ts';
import { acts, probes, watches } from '../activities.ts';
import { allOf, isNodeWorkerSilent, located, workflowFailure } from '../failures.ts';
import type { Progress } from '../progress.ts';
import type { Gang } from './gang.ts';
import { inputFor } from './gang.ts';
import { whileWatched } from './watched.ts';

export interface Served {
  readonly answer: SmokeReport;
  /** Ranks alive on each node, in the order of the gang's members. */
  readonly ranks: readonly number[];
}

/** An answer that is late may never come. One in time, as nearly all are, costs no watch. */
const lateMs = 5_000;

/**
 * Ask the server; on a gang that was not found serving, also look on each node for its ranks. `start` counts the starts of
 * the gang in this run.
 */
export async function smokeTest(
  gang: Gang,
  found: Found,
  start: number,
  progress: Progress,
): Promise<Served> {
  const { answer } = await progress.step(gang.head.prepared.node.name, 'smoke test', async () => {
    const report = await whileWatched(() => ask(gang), [() => watchLate(gang, start)]);
    return { changed: false, answer: report, what: `${report.tokens} tokens in ${report.answerMs} ms` };
  });
  const ranks = found.ranks ?? (await allOf(members(gang).map((member) => countRanks(gang, member))));
  return { answer, ranks };
}

const ask = (gang: Gang): Promise<SmokeReport> =>
  acts(gang.head.prepared.node, 'smoke test').smokeTest({
    ...inputFor(gang, gang.head),
    ...apiAddress(gang.spec),
    servedName: servedName(gang.spec),
    withApiKey: gang.spec.secrets.includes('apiKey'),
  });

async function watchLate(gang: Gang, start: number): Promise<never> {
  await sleep(lateMs);
  return Promise.race(members(gang).map((member) => watchRanks(gang, member, start)));
}

/** Fails when a rank has died. A node that says nothing may have its rank all the same: the answer decides. */
async function watchRanks(gang: Gang, member: Member, start: number): Promise<never> {
  const { node } = member.prepared;
  try {
    await watches(node, 'watch rank', start).watchRank(ranksOf(gang, member));
  } catch (error) {
    if (!isNodeWorkerSilent(error)) throw located(error, node.name, 'smoke test');
  }
  await condition(() => false);
  throw workflowFailure('INTERNAL', { message: 'a wait without end has ended' });
}

const ranksOf = (gang: Gang, member: Member) => ({
  ...inputFor(gang, member),
  unit: member.rayUnit,
  gpus: member.ray.gpus,
});

async function countRanks(gang: Gang, member: Member): Promise<number> {
  const { node } = member.prepared;
  try {
    return (await probes(node, 'confirm ranks').confirmRanks(ranksOf(gang, member))).ranks;
  } catch (error) {
    throw located(error, node.name, 'smoke test');
  }
}
