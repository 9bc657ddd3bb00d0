/**
 * Watch the ranks of a node on that node: the head does not learn that one has died, it stays silent for minutes and
 * its health question hangs.
 */
import { cancellationSignal } from '@temporalio/activity';
import { RanksInput } from '../src/cluster/inputs.ts';
import { isRank, missingDaemon } from '../src/cluster/ranks.ts';
import { fail } from '../src/errors.ts';
import type { ProcessIdentity } from '../src/process/identity.ts';
import { identityOf } from '../src/process/identity.ts';
import type { UnitMember } from '../src/process/units.ts';
import { lookAtUnit, membersOf } from '../src/process/units.ts';
import type { NodeContext } from './context.ts';
import { define } from './define.ts';
import { daemonDied, daemonsOf } from './ray-daemons.ts';
import { untilOneEnds, watchedBefore } from './watched.ts';

/**
 * Lasts for as long as the ranks live, and the daemons of Ray on which they depend. Throws RANK_MISSING as soon as a rank
 * is gone or another one, and RAY_FAILED when it is a daemon: its ranks end a while later, and say less.
 */
export const watchRank = (context: NodeContext) =>
  define(context, RanksInput, async ({ unit, gpus }): Promise<void> => {
    const before = watchedBefore();
    const found = await membersOfUnit(unit);
    const ranks = before ?? found.filter(isOneRank).map(identityOf);
    const watched = [
      ...ranks,
      ...daemonsOf(found)
        .filter((each) => !isAmong(ranks, each))
        .map(identityOf),
    ];
    if (before !== null || isWhole(found, gpus)) await untilOneEnds(context, watched, cancellationSignal());
    const left = await membersOfUnit(unit);
    // One that took the place of a rank has not what the others share with it.
    const alive = left.filter((member) => isOneRank(member) && isAmong(watched, member)).length;
    // A daemon takes the ranks along, and `ray start` then takes all; where nothing is left, nobody can say what was first.
    const died = left.length === 0 ? null : await daemonDied(context, left);
    throw died ?? fail('RANK_MISSING', { ranks: alive, wanted: gpus, unit });
  });

const isWhole = (found: readonly UnitMember[], gpus: number): boolean =>
  found.filter(isOneRank).length >= gpus && missingDaemon(found.map(({ command }) => command)) === null;

const isAmong = (watched: readonly ProcessIdentity[], { pid, startTicks }: UnitMember): boolean =>
  watched.some((each) => each.pid === pid && each.startTicks === startTicks);

/** The control group of our unit says that a process is ours, its title that it is a rank. */
const isOneRank = ({ name }: UnitMember): boolean => isRank(name);

async function membersOfUnit(unit: string): Promise<readonly UnitMember[]> {
  const { controlGroup } = await lookAtUnit(unit);
  return controlGroup === null ? [] : membersOf(controlGroup);
}
