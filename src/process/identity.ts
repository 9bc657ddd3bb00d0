/**
 * Who a process is. A pid is given to others again and a name can be anybody's: a process is the one that was meant
 * only if pid, start time and boot of the machine are the same. That it is ours is said by the control group of our
 * unit in which it was found.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { UnitMember } from './units.ts';

export const ProcessIdentity = z.object({
  pid: z.number().int().positive(),
  /** Field 22 of /proc/PID/stat: clock ticks from boot to its start. */
  startTicks: z.number(),
  bootId: z.string(),
});
export type ProcessIdentity = Readonly<z.infer<typeof ProcessIdentity>>;

let ownBootId: string | undefined;

/** Another one with each boot of the machine, which no program outlives: read once. */
export const bootIdOfMachine = (): string =>
  (ownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());

export const identityOf = ({ pid, startTicks }: Pick<UnitMember, 'pid' | 'startTicks'>): ProcessIdentity => ({
  pid,
  startTicks,
  bootId: bootIdOfMachine(),
});

/**
 * Does this very process live? One that was noted before the last boot does not, whoever has its pid now; nor does one
 * that has ended and is still listed. Read without a thread, since /proc never waits and this is asked all the time.
 */
export function lives({ pid, startTicks, bootId }: ProcessIdentity): boolean {
  const stat = statOf(pid);
  // The second field is the name in parentheses and may hold anything; the rest follows the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = ''] = fields;
  return Number(fields[19]) === startTicks && !['Z', 'X'].includes(state) && bootId === bootIdOfMachine();
}

function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
}
