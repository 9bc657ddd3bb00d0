/** The process table that the script sends: who a process is, whose, and in which systemd unit. */
import { type Frames, frameOf, framesOf } from './frames.ts';
import { harmless, lines } from './text.ts';

export interface Process {
  readonly pid: number;
  /** Kernel name, at most 15 characters. */
  readonly name: string;
  /** Clock ticks from boot to its start. */
  readonly startTicks: number;
  readonly uid: number | null;
  readonly user: string | null;
  /** Arguments as the program got them, without an emulator in front. */
  readonly args: readonly string[];
  readonly controlGroup: string | null;
  readonly unit: string | null;
  readonly userUnit: boolean;
}

export type Processes = ReadonlyMap<number, Process>;

export function readProcesses(frames: Frames): Processes {
  const owners = readOwners(frameOf(frames, 'owners'));
  const commands = readCommands(frameOf(frames, 'commands'));
  const found = framesOf(frames, 'process').flatMap((text): [number, Process][] => {
    const [pidText = '', stat = '', ...groups] = text.split('\n');
    const pid = Number(pidText);
    const status = readStat(stat);
    if (status === null) return [];
    const controlGroup = controlGroupOf(groups);
    return [
      [
        pid,
        {
          pid,
          ...status,
          ...(owners.get(pid) ?? { uid: null, user: null }),
          args: withoutEmulator(commands.get(pid) ?? []),
          controlGroup,
          ...unitOf(controlGroup),
        },
      ],
    ];
  });
  return new Map(found);
}

/**
 * The command as people know it. A process that titles itself (`ray::…`) is called by its title also where only the
 * kernel's 15 characters of it can be seen, as under emulation.
 */
export function commandOf(process: Process): string {
  const line = process.args.join(' ').trim();
  const titled = /^[A-Za-z]+::/.test(process.name) && !line.startsWith(process.name);
  return harmless(titled || line === '' ? process.name : line, 300);
}

/**
 * "PID (NAME) STATE PPID …": the name may hold spaces and parentheses, so what follows is after the last one. Null for a
 * process that has ended and is still listed: it holds nothing, and without its arguments would pass for one that lives.
 */
export function readStat(stat: string): { name: string; startTicks: number } | null {
  const open = stat.indexOf('(');
  const close = stat.lastIndexOf(')');
  const fields = stat.slice(close + 2).split(' ');
  const startTicks = Number(fields[19]);
  if (open < 0 || close < open || !Number.isSafeInteger(startTicks)) return null;
  if (['Z', 'X'].includes(fields[0] ?? '')) return null;
  return { name: harmless(stat.slice(open + 1, close), 64), startTicks };
}

/** Under emulation the kernel shows `QEMU FULLPATH ARGV0 …`: the program's own arguments begin at the third. */
export function withoutEmulator(args: readonly string[]): readonly string[] {
  const program = args[0]?.split('/').at(-1) ?? '';
  return /^qemu-[a-z0-9_]+(-static)?$|-binfmt-P$/.test(program) && args[1]?.startsWith('/') === true
    ? args.slice(2)
    : args;
}

/**
 * The service of a control group: a user's own (below `user@UID.service`), or the system's. A scope is none: to stop
 * `session-3.scope` would end somebody's login.
 */
export function unitOf(controlGroup: string | null): { unit: string | null; userUnit: boolean } {
  const parts = (controlGroup ?? '').split('/');
  const manager = parts.findIndex((part) => /^user@[0-9]+\.service$/.test(part));
  const unit = parts.slice(manager + 1).findLast((part) => part.endsWith('.service'));
  return {
    unit: unit === undefined ? null : harmless(unit, 300),
    userUnit: unit !== undefined && manager >= 0,
  };
}

/** Unified first ("0::/path"); on hybrid machines systemd's own hierarchy says the same. */
function controlGroupOf(groups: readonly string[]): string | null {
  const path = (mark: RegExp): string | undefined =>
    groups.map((line) => mark.exec(line)?.[1]).find((found) => found !== undefined && found !== '/');
  return path(/^0::(\/.*)$/) ?? path(/^[0-9]+:name=systemd:(\/.*)$/) ?? null;
}

function readOwners(text: string | null): Map<number, { uid: number; user: string }> {
  const found = lines(text).flatMap((line): [number, { uid: number; user: string }][] => {
    const [, uid, pid, user = ''] = /^([0-9]+) \/proc\/([0-9]+) (.+)$/.exec(line) ?? [];
    return pid === undefined ? [] : [[Number(pid), { uid: Number(uid), user: harmless(user, 64) }]];
  });
  return new Map(found);
}

/** Lines "/proc/PID/cmdline:ARGUMENT"; a line without that beginning goes on with the argument before it. */
function readCommands(text: string | null): Map<number, string[]> {
  const commands = new Map<number, string[]>();
  let current: string[] = [];
  for (const line of (text ?? '').split('\n')) {
    const [, pid, argument = ''] = /^\/proc\/([0-9]+)\/cmdline:(.*)$/.exec(line) ?? [];
    if (pid === undefined) {
      if (line !== '' && current.length > 0) current.push(`${current.pop() ?? ''}\n${line}`);
      continue;
    }
    current = commands.get(Number(pid)) ?? [];
    commands.set(Number(pid), current);
    current.push(argument);
  }
  return commands;
}
