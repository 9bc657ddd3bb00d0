/** Prove that the ranks of a node live on it. */
import { RanksInput } from '../src/cluster/inputs.ts';
import { isRank } from '../src/cluster/ranks.ts';
import { fail } from '../src/errors.ts';
import { lookAtUnit, membersOf } from '../src/process/units.ts';
import type { NodeContext } from './context.ts';
import { define } from './define.ts';

/** Count the ranks in this node's Ray unit. Throws RANK_MISSING when they are fewer than the GPUs that take part. */
export const confirmRanks = (context: NodeContext) =>
  define(context, RanksInput, async ({ unit, gpus }): Promise<{ ranks: number }> => {
    const { controlGroup } = await lookAtUnit(unit);
    const members = controlGroup === null ? [] : await membersOf(controlGroup);
    const ranks = members.filter(({ name }) => isRank(name)).length;
    if (ranks < gpus) throw fail('RANK_MISSING', { ranks, wanted: gpus, unit });
    return { ranks };
  });
