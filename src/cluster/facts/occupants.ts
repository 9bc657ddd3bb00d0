/** Who else is on the node: listeners on wanted ports, and processes that hold a GPU or memory and are not ours. */
import { type Frames, frameOf } from './frames.ts';
import { type Process, type Processes, commandOf, unitOf } from './processes.ts';
import { harmless, lines, wholeNumber } from './text.ts';
import type { Listener, Stranger } from './types.ts';

const ourUnit = /^windlass-/;

/** From `ss -Hltnpe`; null when it could not be asked. */
export function readListeners(frames: Frames, processes: Processes, user: string): Listener[] | null {
  const text = frameOf(frames, 'listeners');
  if (text === null) return null;
  const found = lines(text).flatMap((line) => {
    const local = /^(?:LISTEN +)?[0-9]+ +[0-9]+ +(\S+):([0-9]+) /.exec(line);
    const [, address = '', port] = local ?? [];
    if (port === undefined) return [];
    return [{ port: Number(port), address: plainAddress(address), ...holderOf(line, processes, user) }];
  });
  return found;
}

/** "[::]", "*", "127.0.0.1%lo", "[::ffff:127.0.0.1]" → the address alone. */
function plainAddress(text: string): string {
  const bare = text.replace(/%[^\]]*/, '').replace(/^\[(.*)\]$/, '$1');
  return harmless(bare.replace(/^::ffff:(?=\d+\.)/i, ''), 64);
}

type Holder = Pick<Listener, 'pid' | 'process' | 'user' | 'unit' | 'userUnit'>;

/** Without root `ss` names only our own processes; of others it tells the user, and root by not telling. */
function holderOf(line: string, processes: Processes, user: string): Holder {
  const [, name, pidText] = /users:\(\("(.*?)",pid=([0-9]+),/.exec(line) ?? [];
  if (pidText !== undefined) {
    const pid = Number(pidText);
    const known = processes.get(pid);
    return {
      pid,
      process: harmless(known?.name ?? name ?? '', 64),
      user: known?.user ?? user,
      unit: known?.unit ?? null,
      userUnit: known?.userUnit ?? false,
    };
  }
  const uid = wholeNumber(/\buid:([0-9]+)/.exec(line)?.[1]);
  const holder =
    uid === null
      ? { pid: null, process: null, user: 'root', unit: null, userUnit: false }
      : onlyProcessOf(uid, processes);
  // Newer versions of `ss` name the control group also of those whose pid they hide.
  const told = unitOf(/\bcgroup:(\/\S*)/.exec(line)?.[1] ?? null);
  return told.unit === null ? holder : { ...holder, ...told };
}

/** A user of which there is one process, or one unit, gives away who listens. */
function onlyProcessOf(uid: number, processes: Processes): Holder {
  const theirs = [...processes.values()].filter((process) => process.uid === uid);
  const [first] = theirs;
  const units = new Set(theirs.map((process) => process.unit));
  const isOneUnit = first !== undefined && units.size === 1;
  const only = theirs.length === 1 ? first : undefined;
  return {
    pid: only?.pid ?? null,
    process: only?.name ?? null,
    user: first?.user ?? `uid ${uid}`,
    unit: isOneUnit ? first.unit : null,
    userUnit: isOneUnit && first.userUnit,
  };
}

/** Processes that are not in a unit of ours and would be in the way. */
export function readStrangers(frames: Frames, processes: Processes): Stranger[] {
  const held = readGpuBytes(frameOf(frames, 'gpu-processes'));
  return [...processes.values()]
    .flatMap((process): Stranger[] => {
      if (process.unit !== null && ourUnit.test(process.unit)) return [];
      const kind = kindOf(process) ?? (held.has(process.pid) ? 'gpu' : null);
      if (kind === null) return [];
      return [
        {
          kind,
          pid: process.pid,
          user: process.user ?? 'unknown',
          command: commandOf(process),
          unit: process.unit,
          userUnit: process.userUnit,
          gpuBytes: held.get(process.pid) ?? null,
        },
      ];
    })
    .toSorted((one, other) => one.pid - other.pid);
}

const kinds: readonly (readonly [Exclude<Stranger['kind'], 'gpu'>, RegExp])[] = [
  ['ray', /^(raylet|gcs_server|ray|ray::.*)$/],
  ['engine', /^(sglang|vllm|VLLM)(::.*)?$/],
  ['ollama', /^ollama/],
  ['desktop', /^(gdm|sddm|lightdm|Xorg|Xwayland|gnome-shell)/],
];
const engineModule = /^(sglang|vllm)(\.|$)/;
const engineProgram = /\/(sglang|vllm)$/;

/** By the kernel's name of it, or by the module or script that a Python interpreter runs. */
function kindOf(process: Process): Exclude<Stranger['kind'], 'gpu'> | null {
  const byName = kinds.find(([, name]) => name.test(process.name))?.[0];
  if (byName) return byName;
  if (!process.name.startsWith('python')) return null;
  const [, ...args] = process.args;
  const option = args.findIndex((argument) => argument === '-m');
  const isEngine =
    (option >= 0 && engineModule.test(args[option + 1] ?? '')) || engineProgram.test(args[0] ?? '');
  return isEngine ? 'engine' : null;
}

/** Lines "PID, N MiB"; the amount may be "[N/A]", which is unknown and not zero. */
function readGpuBytes(text: string | null): Map<number, number | null> {
  const found = lines(text).flatMap((line): [number, number | null][] => {
    const [, pid, mebibytes] = /^ *([0-9]+), *(?:([0-9]+) MiB|.*)$/.exec(line) ?? [];
    if (pid === undefined) return [];
    return [[Number(pid), mebibytes === undefined ? null : Number(mebibytes) * 1024 * 1024]];
  });
  return new Map(found);
}
