/** Stop what runs were started for, and prove that it is gone: units, their processes, their memory and their ports. */
import { activityInfo } from '@temporalio/activity';
import type { Endpoint } from '../src/cluster/inputs.ts';
import { StopInput } from '../src/cluster/inputs.ts';
import { engineUnitPrefix, isRunUnit, rayUnitPrefix } from '../src/cluster/layout.ts';
import { fail } from '../src/errors.ts';
import type { UnitMember } from '../src/process/units.ts';
import { listUnits, lookAtUnit, membersOf, stopUnit } from '../src/process/units.ts';
import type { Changed } from './acts.ts';
import { beating, unchanged, until } from './acts.ts';
import type { NodeContext } from './context.ts';
import { define } from './define.ts';
import { gpuMemoryFree } from './gpu-memory.ts';
import { recordChange } from './ledger.ts';
import type { Listening } from './listening.ts';
import { readListening } from './listening.ts';
import { isOurs, taken } from './ports.ts';
import { holdNode } from './ownership.ts';

const concerned = (what: StopInput['what'], unit: string): boolean => {
  if (unit.startsWith(engineUnitPrefix)) return true;
  return what === 'all' ? isRunUnit(`${unit}.service`) : unit.startsWith(rayUnitPrefix);
};

/** Engine before Ray: the reverse of how they were started. */
const inReverse = (units: readonly string[]): string[] =>
  units.toSorted((a, b) => Number(b.startsWith(engineUnitPrefix)) - Number(a.startsWith(engineUnitPrefix)));

/**
 * Stop our units on this node, and prove that memory and ports are free. Returns unchanged when none was there. Throws
 * STOP_FAILED when something of ours is still there, and PORT_TAKEN when somebody else listens, who is never touched.
 */
export const stopGangUnits = (context: NodeContext) =>
  define(context, StopInput, async ({ run, keep, ports, what }): Promise<Changed> => {
    const units = inReverse(
      (await listUnits()).filter((unit) => concerned(what, unit) && !keep.includes(unit)),
    );
    const stopped: string[] = [];
    const ended: number[] = [];
    await beating('stopping', async () => {
      for (const unit of units) {
        const look = await lookAtUnit(unit);
        const members = look.controlGroup === null ? [] : await membersOf(look.controlGroup);
        if (look.active || members.length > 0) {
          await holdNode(context, run);
          await stopUnit(unit, 90_000);
          await gone(unit, members);
          await recordChange(context, run, 'stop', 'stopped', { unit });
          stopped.push(unit);
          ended.push(...members.map(({ pid }) => pid));
        }
      }
    });
    await gpuMemoryFree(ended);
    // Where nothing of ours was, a tear-down has nothing to prove; what an earlier attempt stopped, it has.
    const hadSome = stopped.length > 0 || activityInfo().attempt > 1;
    if (what !== 'all' || hadSome) await portsFree(ports, keep);
    return stopped.length === 0 ? unchanged : { changed: true, what: `stopped ${stopped.join(', ')}` };
  });

/** The processes that the unit had, by pid and start time, must be gone. */
async function gone(unit: string, members: readonly UnitMember[]): Promise<void> {
  await until(
    async () => {
      const look = await lookAtUnit(unit);
      const left = look.controlGroup === null ? [] : await membersOf(look.controlGroup);
      const same = left.filter((now) =>
        members.some((was) => was.pid === now.pid && was.startTicks === now.startTicks),
      );
      return !look.active && same.length === 0 ? true : null;
    },
    30_000,
    () => fail('STOP_FAILED', { what: unit, evidence: `${members.length} processes` }),
  );
}

/** Nobody keeps the next gang from listening where it will. */
async function portsFree(ports: readonly Endpoint[], keep: readonly string[]): Promise<void> {
  let held: readonly Listening[] = [];
  await until(
    async () => {
      held = (await readListening(ports)).filter(({ unit }) => unit === null || !keep.includes(unit));
      // A socket without a process to it may be one of ours that the kernel has not taken down yet.
      const stranger = held.find((each) => each.pid !== null && !isOurs(each));
      if (stranger) throw taken(stranger);
      return held.length === 0 ? true : null;
    },
    15_000,
    () => {
      const stranger = held.find((each) => !isOurs(each));
      if (stranger) return taken(stranger);
      const [first] = held;
      return fail('STOP_FAILED', {
        what: `TCP port ${first?.port ?? '?'}`,
        evidence: `${first?.unit ?? '?'} (pid ${first?.pid ?? '?'}) listens there`,
      });
    },
  );
}
