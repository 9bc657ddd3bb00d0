/** The command that stops somebody else's process: of its unit where it has one, else of the process. */
import type { Listener, Stranger } from '../facts/types.ts';

interface Holder extends Pick<Listener, 'unit' | 'userUnit' | 'user'> {
  readonly pids: readonly number[];
}

/** Null when neither unit nor process is known. `me` is the user that we are on the node. */
export function stopCommand({ unit, userUnit, user, pids }: Holder, me: string): string | null {
  const isMine = user === me;
  if (unit !== null && !userUnit) return `sudo systemctl stop ${unit}`;
  if (unit !== null && isMine) return `systemctl --user stop ${unit}`;
  if (unit !== null) return `sudo systemctl --user --machine=${user ?? 'USER'}@ stop ${unit}`;
  if (pids.length === 0) return null;
  return `${isMine ? '' : 'sudo '}kill ${pids.slice(0, 8).join(' ')}`;
}

/** Who a stranger is, for people. */
export function whoIs({ command, pid, user }: Pick<Stranger, 'command' | 'pid' | 'user'>): string {
  const [program = ''] = command.split(' ');
  const name = program.split('/').at(-1) ?? '';
  return `${name === '' ? 'a process' : name} (pid ${pid}, user ${user})`;
}
