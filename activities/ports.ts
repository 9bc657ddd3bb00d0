/** Who keeps a gang from its ports, and is not ours. Such a process is named, and never touched. */
import type { Endpoint } from '../src/cluster/inputs.ts';
import { isRunUnit } from '../src/cluster/layout.ts';
import { fail } from '../src/errors.ts';
import type { Listening } from './listening.ts';
import { readListening } from './listening.ts';

export const isOurs = ({ unit }: Listening): boolean => unit !== null && isRunUnit(`${unit}.service`);

export function taken({ port, pid, command, uid }: Listening): Error {
  const by = pid === null ? `a process of another user (uid ${uid})` : `${command ?? '?'} (pid ${pid})`;
  return fail('PORT_TAKEN', { port, by });
}

/**
 * Throw PORT_TAKEN when a stranger listens where a unit is about to, which would only end with an error of its own. A
 * socket of this user without a process may be one of ours that the kernel has not taken down yet.
 */
export async function demandFree(ports: readonly Endpoint[]): Promise<void> {
  const listening = await readListening(ports);
  const stranger = listening.find((each) =>
    each.pid === null ? each.uid !== process.getuid?.() : !isOurs(each),
  );
  if (stranger) throw taken(stranger);
}
