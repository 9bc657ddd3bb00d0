/** Facts of the machine itself: system, user, systemd, memory, disks, interpreters. */
import { type Frames, frameOf, unreadable } from './frames.ts';
import { firstLine, harmless, lines, wholeNumber } from './text.ts';
import type { NodeFacts } from './types.ts';

/** The node's clock in milliseconds; required, since nothing can be judged about a node that has none. */
export function readClock(frames: Frames): number {
  const text = frameOf(frames, 'clock');
  const clock = wholeNumber(text ?? undefined);
  if (clock === null) throw unreadable('clock', text);
  return clock;
}

/** The user that we are there, from `id`; required. Group names may hold spaces where a directory serves them. */
export function readUser(frames: Frames): NodeFacts['user'] {
  const text = frameOf(frames, 'id');
  const home = firstLine(frameOf(frames, 'home'), 1000);
  const found = /^uid=([0-9]+)\(([^)]+)\)/.exec(text ?? '');
  const [, uid = '', name = ''] = found ?? [];
  if (!found || home?.startsWith('/') !== true) throw unreadable('user', text);
  const groups = /groups=(.*)/.exec(text ?? '')?.[1] ?? '';
  return {
    name: harmless(name, 100),
    uid: Number(uid),
    home,
    groups: [...groups.matchAll(/[0-9]+\(([^)]*)\)/g)].map(([, group = '']) => harmless(group, 100)),
  };
}

export function readSystemd(frames: Frames): NodeFacts['systemd'] {
  const manager = frameOf(frames, 'manager');
  const version =
    /^Version=v?([0-9]+)/m.exec(manager ?? '') ??
    /^systemd ([0-9]+)/.exec(frameOf(frames, 'systemd-version') ?? '');
  const linger = frameOf(frames, 'linger');
  return {
    running: firstLine(frameOf(frames, 'comm')) === 'systemd',
    version: wholeNumber(version?.[1]),
    // A manager that is being set up or taken down still answers; one without a bus says offline.
    userManager: /^SystemState=(initializing|starting|running|degraded|maintenance)$/m.test(manager ?? ''),
    linger: linger === 'yes' ? true : linger === 'no' ? false : null,
    polkit: frameOf(frames, 'polkit') === 'yes',
    unified: frameOf(frames, 'unified') === 'yes',
  };
}

export function readMemory(frames: Frames): NodeFacts['memory'] {
  const text = frameOf(frames, 'meminfo') ?? '';
  const bytes = (field: string): number | null => {
    const kilobytes = wholeNumber(new RegExp(`^${field}: +([0-9]+) kB$`, 'm').exec(text)?.[1]);
    return kilobytes === null ? null : kilobytes * 1024;
  };
  return { totalBytes: bytes('MemTotal'), availableBytes: bytes('MemAvailable') };
}

/** The folders asked about, then what `df` said about the nearest existing folder of each, with a heading. */
export function readDisks(frames: Frames): NodeFacts['disks'] {
  const [root = '', model = '', , ...answers] = lines(frameOf(frames, 'disks'));
  if (answers.length !== 2) return [];
  return (
    [
      ['root', root],
      ['model', model],
    ] as const
  ).flatMap(([purpose, path], index) => {
    const found = /^(\S+) +([0-9]+) +\//.exec(answers[index] ?? '');
    const [, fileSystem = '', free = ''] = found ?? [];
    return found
      ? [
          {
            purpose,
            path: harmless(path, 1000),
            freeBytes: Number(free),
            fileSystem: harmless(fileSystem, 60),
          },
        ]
      : [];
  });
}

/** "Python 3.12.3 PATH" from asking, "managed PATH" where the folder of a managed interpreter tells the version. */
export function readPythons(frames: Frames): NodeFacts['pythons'] {
  return lines(frameOf(frames, 'pythons')).flatMap((line) => {
    const found =
      /^Python (3\.[0-9]+\.[0-9]+\S*) (\/.*)$/.exec(line) ??
      /^managed (?=\/.*\/cpython-(3\.[0-9]+\.[0-9]+[0-9a-z]*)-)(\/.*)$/.exec(line);
    const [, version = '', path = ''] = found ?? [];
    return found ? [{ path: harmless(path, 1000), version: harmless(version, 30) }] : [];
  });
}

/** The system's name for people, and the libc that wheels need. */
export function readSystem(frames: Frames): Pick<NodeFacts, 'hostName' | 'machine' | 'glibc' | 'os'> {
  const pretty = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(frameOf(frames, 'os-release') ?? '')?.[1];
  return {
    hostName: firstLine(frameOf(frames, 'hostname')),
    machine: firstLine(frameOf(frames, 'machine')),
    glibc: /^glibc ([0-9]+\.[0-9]+)/.exec(frameOf(frames, 'glibc') ?? '')?.[1] ?? null,
    os: pretty === undefined || pretty === '' ? null : harmless(pretty),
  };
}
