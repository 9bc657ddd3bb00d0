/** Watch the serving gang: each rank on its own node, and the server on the head. */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { apiAddress } from '../../src/cluster/gang.ts';
import type { ServingGang, WatchedMember } from '../../src/cluster/keeper.ts';
import { servedName } from '../../src/cluster/models.ts';
import { asError } from '../../src/errors.ts';
import { watches } from '../activities.ts';
import { located, workflowFailure } from '../failures.ts';
import type { Keeper } from '../keeper.ts';
import { asSilence } from './silent.ts';

/** Returns how the gang was lost; null when there is another one to watch, or a new history to begin. */
export async function untilLost(keeper: Keeper): Promise<Error | null> {
  const nth = keeper.beginWatch();
  const { serving } = keeper;
  const watching = new CancellationScope();
  const lost: { by: Error | null } = { by: null };
  const all = watching
    .run(() =>
      Promise.all([
        watchServer(serving, nth),
        ...serving.members.map((each) => watchRank(serving, each, nth)),
      ]),
    )
    .catch((error: unknown) => {
      lost.by = asError(error);
    });
  try {
    await condition(() => lost.by !== null || keeper.isTold || keeper.isHistoryLong);
    const { by } = lost;
    if (by !== null && isCancellation(by)) throw by;
    return by;
  } finally {
    watching.cancel();
    await all;
  }
}

const inputFor = ({ spec, run }: ServingGang, { node }: WatchedMember) => ({
  run,
  node: node.id,
  root: spec.root,
});

const watchRank = (serving: ServingGang, member: WatchedMember, nth: number): Promise<void> =>
  onNode(member, 'watch rank', () =>
    watches(member.node, 'watch rank', nth).watchRank({
      ...inputFor(serving, member),
      unit: member.rayUnit,
      gpus: member.gpus,
    }),
  );

async function watchServer(serving: ServingGang, nth: number): Promise<void> {
  const { spec, members, engineUnit } = serving;
  const [head] = members;
  if (!head) throw workflowFailure('INTERNAL', { message: 'a gang without a head' });
  await onNode(head, 'watch server', () =>
    watches(head.node, 'watch server', nth).watchServer({
      ...inputFor(serving, head),
      ...apiAddress(spec),
      unit: engineUnit,
      servedName: servedName(spec),
      withApiKey: spec.secrets.includes('apiKey'),
    }),
  );
}

/** A node that is silent has its rank with it. */
async function onNode({ node }: WatchedMember, step: string, watch: () => Promise<void>): Promise<void> {
  try {
    await watch();
  } catch (error) {
    throw located(asSilence(error, node), node.name, step);
  }
}
