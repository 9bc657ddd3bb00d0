/**
 * Takes down what is on a host at a moment, to be compared with another moment: what its disk holds beyond the
 * image, temporary folders, units, listening ports and processes. What changes by itself is left out.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Path → mode, owner and content of everything that is not as in the image. */
export type Files = Record<string, string>;

export interface Snapshot {
  readonly files: Files;
  /** State of each unit: `system ssh.service active` or `user x.service failed`. */
  readonly units: readonly string[];
  /** `tcp 10.0.0.25:22`, sorted. */
  readonly ports: readonly string[];
  /** `uid: command line`, sorted, without those that come and go with each login. */
  readonly processes: readonly string[];
}

/** Folders whose content changes by itself on a host that nobody touches. */
const volatile = new Set(
  `
  var/log var/tmp var/cache var/lib/systemd/timers var/lib/systemd/timesync var/lib/systemd/random-seed
  var/lib/dbus etc/machine-id run proc sys dev/pts dev/mqueue`
    .trim()
    .split(/\s+/),
);
const isVolatile = (path: string): boolean =>
  volatile.has(path) || /^tmp\/systemd-private-|^tmp\/\.(X11|ICE|font|XIM|Test)-unix$/.test(path);

/** Read what an overlay's upper folder changes against the image; copies equal to the image's file are no change. */
export async function readDiskChanges(upper: string, image: string): Promise<Files> {
  const files: Files = {};
  for await (const path of walk(upper, '')) {
    const found = await describe(join(upper, path));
    if (found !== (await describe(join(image, path)))) files[`/${path}`] = found ?? '';
  }
  return files;
}

/** Read every entry of a folder that lies on a file system of its own, such as /tmp. */
export async function readFolder(root: string, folder: string): Promise<Files> {
  const files: Files = {};
  for await (const path of walk(root, folder)) files[`/${path}`] = (await describe(join(root, path))) ?? '';
  return files;
}

async function* walk(root: string, folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(join(root, folder), { withFileTypes: true }).catch(() => [])) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (isVolatile(path)) continue;
    yield path;
    if (entry.isDirectory()) yield* walk(root, path);
  }
}

async function describe(file: string): Promise<string | undefined> {
  const found = await lstat(file).catch(() => undefined);
  if (!found) return undefined;
  const owner = `${found.mode.toString(8)} ${String(found.uid)}:${String(found.gid)}`;
  if (found.isSymbolicLink()) return `${owner} -> ${await readlink(file)}`;
  if (!found.isFile()) return owner;
  return `${owner} ${String(found.size)} ${await hashOf(file)}`;
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex').slice(0, 16);
}

/** Read the ports on which a process's network listens, from the kernel's tables. */
export async function readListeningPorts(pid: number): Promise<string[]> {
  const tables = ['tcp', 'tcp6', 'udp', 'udp6'];
  const rows = await Promise.all(
    tables.map(async (table) => {
      const text = await readFile(`/proc/${String(pid)}/net/${table}`, 'utf8').catch(() => '');
      const listening = table.startsWith('tcp') ? '0A' : '07';
      const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
      return lines
        .filter(([, , , state]) => state === listening)
        .map(([, local = '']) => `${table} ${explainAddress(local)}`);
    }),
  );
  return rows.flat().toSorted();
}

/** The kernel writes addresses as little-endian words in hexadecimal. */
function explainAddress(local: string): string {
  const [hex = '', port = ''] = local.split(':');
  const bytes = Buffer.from(hex, 'hex');
  const address = hex.length === 8 ? [...bytes].toReversed().join('.') : bytes.swap32().toString('hex');
  return `${address}:${String(Number.parseInt(port, 16))}`;
}

const rows = (text: string) => text.split('\n').map((line) => line.trim().split(/\s+/));

type Exec = (argv: readonly string[], user: 'root' | 'dgx') => Promise<{ stdout: string }>;

/** Read the state of all loaded services and timers of the system, and of the user while it has a manager. */
export async function readUnits(exec: Exec): Promise<string[]> {
  const list = ['list-units', '--all', '--plain', '--no-legend', '--type=service,timer,socket,scope'];
  const system = await exec(['systemctl', ...list], 'root');
  const ofUser = await exec(['systemctl', '--user', ...list], 'dgx');
  const files = await exec(['systemctl', '--user', 'list-unit-files', '--plain', '--no-legend'], 'dgx');
  const states = (scope: string, text: string) =>
    rows(text).flatMap(([unit = '', , active = '']) =>
      unit === '' || isOfLogin(unit) ? [] : [`${scope} ${unit} ${active}`],
    );
  const installed = rows(files.stdout).flatMap(([unit = '', state = '']) =>
    unit === '' || state === 'transient' || isOfLogin(unit) ? [] : [`user file ${unit} ${state}`],
  );
  return [...states('system', system.stdout), ...states('user', ofUser.stdout), ...installed].toSorted();
}

/** Units that come with a login, or run for a moment whenever something is asked of systemd. */
const isOfLogin = (unit: string): boolean =>
  /^(session-|user@|user-runtime-dir@|init\.scope|systemd-|polkit|ssh@|dbus)/.test(unit);
