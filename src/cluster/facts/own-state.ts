/** What windlass finds of its own on a node: its files, and its units with their processes. */
import type { z } from 'zod';
import { sha256Hex } from '../hash.ts';
import {
  EnvironmentMarker,
  ModelMarker,
  NodeIdentity,
  type NodeState,
  Owner,
  Proof,
  UnitResult,
  UnitState,
} from '../state.ts';
import { type Frames, frameOf, framesOf, framesUnder, unreadable } from './frames.ts';
import { type Processes, commandOf } from './processes.ts';
import { lossOf } from './loss.ts';
import { firstLine, harmless, lines } from './text.ts';

/** Everything of ours on the node. A broken marker counts as none, so the work is done again; identity and owner do not. */
export function readState(frames: Frames, processes: Processes): NodeState {
  return {
    identity: readGate(frames, 'node.json', NodeIdentity),
    owner: readGate(frames, 'owner.json', Owner),
    payload: payloadVersion(frameOf(frames, 'payload')),
    locks: readLocks(frameOf(frames, 'locks')),
    environments: readEnvironments(frames),
    proofs: readMarkers(frames, 'proofs/', Proof).map(([, proof]) => proof),
    models: readModels(frames),
    units: readUnits(frames, processes),
  };
}

/** "No owner" opens the node to anybody, so a file that is there and cannot be understood is an error. */
function readGate<T>(frames: Frames, name: string, schema: z.ZodType<T>): T | null {
  if (!framesOf(frames, 'exists').includes(name)) return null;
  const text = frameOf(frames, `file/${name}`);
  const value = text === null ? null : parseAs(schema, text);
  if (value === null) throw unreadable(name, text);
  return value;
}

function parseAs<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function readMarkers<T>(frames: Frames, folder: string, schema: z.ZodType<T>): [name: string, marker: T][] {
  return framesUnder(frames, `file/${folder}`).flatMap(([name, text]): [string, T][] => {
    const marker = parseAs(schema, text);
    return marker === null ? [] : [[name, marker]];
  });
}

function payloadVersion(link: string | null): string | null {
  return firstLine(link?.split('/').at(-1) ?? null, 100);
}

/** "SHA256  PATH/pylock.<request>.toml". */
function readLocks(text: string | null): Record<string, string> {
  const found = lines(text).flatMap((line): [string, string][] => {
    const [, digest = '', request] =
      /^([0-9a-f]{64}) [ *].*\/pylock\.([0-9a-f]{1,64})\.toml$/.exec(line) ?? [];
    return request === undefined ? [] : [[request, digest]];
  });
  return Object.fromEntries(found);
}

function readEnvironments(frames: Frames): NodeState['environments'] {
  return readMarkers(frames, 'envs/', EnvironmentMarker).map(([, marker]) => {
    const names = frameOf(frames, `listing/${marker.hash}`);
    return { ...marker, listingNow: names === null ? null : sha256Hex(names) };
  });
}

/** Lines "BYTES PATH", one for each file; PATH is where the search began. */
function readModels(frames: Frames): NodeState['models'] {
  const listing = frameOf(frames, 'model-files');
  if (listing === null) return [];
  const sums = new Map<string, { files: number; bytes: number }>();
  for (const line of lines(listing)) {
    const [, size, path = ''] = /^([0-9]{1,16}) (\/.*)$/.exec(line) ?? [];
    if (size === undefined) continue;
    const { files, bytes } = sums.get(path) ?? { files: 0, bytes: 0 };
    sums.set(path, { files: files + 1, bytes: bytes + Number(size) });
  }
  return readMarkers(frames, 'models/', ModelMarker).map(([, marker]) => {
    const { files, bytes } = sums.get(marker.path) ?? { files: 0, bytes: 0 };
    return { ...marker, filesNow: files, bytesNow: bytes };
  });
}

const ActiveState = UnitState.shape.active.catch('unknown');

/** Loaded units, then those that only left a result behind. Names stand without `.service`. */
function readUnits(frames: Frames, processes: Processes): UnitState[] {
  const results = new Map(
    readMarkers(frames, 'runs/', UnitResult).map(([name, result]) => [name.split('/', 1)[0] ?? '', result]),
  );
  const loaded = (frameOf(frames, 'units') ?? '').split('\n\n').flatMap((block) => {
    const unit = readUnit(block, processes, results);
    if (unit === null) return [];
    const lost = lossOf(frames, unit, processes);
    return [lost ? { ...unit, lost } : unit];
  });
  const names = new Set(loaded.map((unit) => unit.name));
  const ended = [...results]
    .filter(([name]) => !names.has(name))
    .map(([name, result]): UnitState => ({ name, active: 'inactive', mainPid: null, processes: [], result }));
  return [...loaded, ...ended];
}

function readUnit(
  block: string,
  processes: Processes,
  results: ReadonlyMap<string, UnitResult>,
): UnitState | null {
  const field = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1] ?? '';
  const [, name] = /^(windlass-[A-Za-z0-9@._:-]{1,200})\.service$/.exec(field('Id')) ?? [];
  if (name === undefined) return null;
  const active = ActiveState.parse(field('ActiveState'));
  const mainPid = Number(field('MainPID'));
  const group = field('ControlGroup');
  const members = [...processes.values()].filter(
    ({ controlGroup }) =>
      group !== '' && (controlGroup === group || controlGroup?.startsWith(`${group}/`) === true),
  );
  return {
    name: harmless(name),
    active,
    mainPid: mainPid > 0 ? mainPid : null,
    processes: members
      .map((process) => ({ pid: process.pid, startTicks: process.startTicks, command: commandOf(process) }))
      .toSorted((one, other) => one.pid - other.pid),
    // A result of an earlier run of the unit says nothing about one that runs now.
    result: active === 'inactive' || active === 'failed' ? (results.get(name) ?? null) : null,
  };
}
