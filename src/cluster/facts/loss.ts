/** What a unit of ours has lost while it runs: it looks as before, and cannot do what a gang needs of it. */
import { dirname } from 'node:path/posix';
import { isRunUnit } from '../layout.ts';
import { missingDaemon } from '../ranks.ts';
import type { UnitState } from '../state.ts';
import { type Frames, frameOf } from './frames.ts';
import type { Process, Processes } from './processes.ts';
import { lines } from './text.ts';

/** Null where it does not run, where it has lost nothing, and where nobody could look. */
export function lossOf(frames: Frames, unit: UnitState, processes: Processes): UnitState['lost'] | null {
  const { name, active } = unit;
  if (active !== 'active' && active !== 'activating') return null;
  const there = frameOf(frames, 'unit-files');
  if (there !== null && isRunUnit(`${name}.service`) && !lines(there).includes(name)) return 'files';
  if (!name.startsWith('windlass-ray-')) return null;
  const members = unit.processes.flatMap(({ pid }) => processes.get(pid) ?? []);
  if (missingDaemon(members.map(commandLineOf)) !== null) return 'daemon';
  return hasLostSession(frames, name, members) ? 'session' : null;
}

/** The kernel's name where nothing else is known. */
const commandLineOf = ({ name, args }: Process): string => (args.length > 0 ? args.join(' ') : name);

const socketOption = '--raylet_socket_name=';

/** Whoever swept its folder away, or wrote its token anew, has left it running, and deaf to whatever starts now. */
function hasLostSession(frames: Frames, unit: string, members: readonly Process[]): boolean {
  const outdated = frameOf(frames, 'ray-outdated');
  if (outdated !== null && lines(outdated).includes(unit)) return true;
  const [folder, ...sockets] = lines(frameOf(frames, 'ray-sockets') ?? '');
  const socket = members.flatMap(({ args }) => args).find((each) => each.startsWith(socketOption));
  if (folder === undefined || socket === undefined) return false;
  const own = dirname(socket.slice(socketOption.length));
  return own.startsWith(`${folder}/`) && !sockets.includes(own);
}
