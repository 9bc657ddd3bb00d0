/**
 * Watch the ranks of a node on that node: the head does not learn that one has died, it stays silent for minutes and
 * its health question hangs.
 */
import { cancellationSignal } from '@temporalio/activity';
import { RanksInput } from '../src/cluster/inputs.ts';
import { isRank } from '../src/cluster/ranks.ts';
import { fail } from '../src/errors.ts';
import type { ProcessIdentity } from '../src/process/identity.ts';
import { identityOf, lives } from '../src/process/identity.ts';
import { lookAtUnit, membersOf } from '../src/process/units.ts';
import type { NodeContext } from './context.ts';
import { define } from './define.ts';
import { untilOneEnds, watchedBefore } from './watched.ts';

/** Lasts for as long as the ranks live. Throws RANK_MISSING as soon as one of them is gone or another one. */
export const watchRank = (context: NodeContext) =>
  define(context, RanksInput, async ({ unit, gpus }): Promise<void> => {
    const ranks = watchedBefore() ?? (await ranksOf(unit));
    if (ranks.length >= gpus) await untilOneEnds(ranks, cancellationSignal());
    throw fail('RANK_MISSING', { ranks: ranks.filter(lives).length, wanted: gpus, unit });
  });

/** The control group of our unit says that a process is ours, its title that it is a rank. */
async function ranksOf(unit: string): Promise<readonly ProcessIdentity[]> {
  const { controlGroup } = await lookAtUnit(unit);
  const members = controlGroup === null ? [] : await membersOf(controlGroup);
  return members.filter(({ name }) => isRank(name)).map(identityOf);
}
