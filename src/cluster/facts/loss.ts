/** What a unit of ours has lost while it runs: it looks as before, and cannot do what a gang needs of it. */
import { isRunUnit } from '../layout.ts';
import { isGcs, isRank, isRaylet } from '../ranks.ts';
import type { UnitState } from '../state.ts';
import { type Frames, frameOf } from './frames.ts';
import type { Process, Processes } from './processes.ts';
import { lines } from './text.ts';

/** Null where it does not run, where it has lost nothing, and where nobody could look. */
export function lossOf(frames: Frames, unit: UnitState, processes: Processes): UnitState['lost'] | null {
  const { name, active } = unit;
  if (active !== 'active' && active !== 'activating') return null;
  const isNamed = (frame: string): boolean | null => {
    const text = frameOf(frames, frame);
    return text === null ? null : lines(text).includes(name);
  };
  if (isRunUnit(`${name}.service`) && isNamed('unit-files') === false) return 'files';
  const members = unit.processes.flatMap(({ pid }) => processes.get(pid) ?? []);
  if (hasLostDaemon(members)) return 'daemon';
  // Before its raylet runs a Ray has no session yet.
  return isNamed('ray-deaf') === true && hasRaylet(members) ? 'session' : null;
}

/** Without a raylet the ranks of a node end, without a GCS those of all nodes; until then they look as if they served. */
function hasLostDaemon(members: readonly Process[]): boolean {
  const needsGcs = members.some(({ args }) => args.includes('--head'));
  const isWhole = hasRaylet(members) && (!needsGcs || hasGcs(members));
  return members.some(({ name }) => isRank(name)) && !isWhole;
}

/** By its command line, and where that cannot be read by the kernel's name. */
const has =
  (title: string, isIt: (command: string) => boolean) =>
  (members: readonly Process[]): boolean =>
    members.some(({ name, args }) => name === title || isIt(args.join(' ')));
const hasRaylet = has('raylet', isRaylet);
const hasGcs = has('gcs_server', isGcs);
