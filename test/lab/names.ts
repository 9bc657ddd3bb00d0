/**
 * Where a lab keeps things, derived from its name alone, so that a lab whose owner died can be found and removed.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Everything on this machine that belongs to one lab. */
export interface LabNames {
  readonly name: string;
  /** Folder below every cgroup hierarchy that we use. */
  readonly cgroup: string;
  readonly folder: string;
  /** File that holds the lab's network namespace open; `nsenter --net=FILE` enters it. */
  readonly netns: string;
  readonly stateFile: string;
  readonly keeperSocket: string;
  readonly keeperLog: string;
  readonly operatorHome: string;
  readonly relays: string;
}

/** Folder below which every running lab has a folder of its own. */
export const labsFolder = '/var/tmp/windlass-lab';

/** The repository's root: processes of the lab are started there, so that `--import tsx` resolves. */
export const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url));

/** Path of a file that lies beside this one. */
export const labFile = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Folder for images, the lab's ssh key and saved states; it is the only thing that outlives a lab. */
export const cacheFolder = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'windlass-lab');

/** The name used where none is given. */
export const defaultLabName = (): string => process.env['WINDLASS_LAB'] ?? 'lab';

/** Return the names of a lab; throw where the name could not be part of a path or is too long for a socket. */
export function namesOf(name: string): LabNames {
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(name))
    throw new Error(`lab name ${name}: use at most 31 small letters, digits and dashes`);
  const folder = join(labsFolder, name);
  return {
    name,
    cgroup: `wl-${name}`,
    folder,
    netns: join(folder, 'netns'),
    stateFile: join(folder, 'lab.json'),
    keeperSocket: join(folder, 'keeper.sock'),
    keeperLog: join(folder, 'keeper.log'),
    operatorHome: join(folder, 'operator'),
    relays: join(folder, 'relays'),
  };
}

/** Where one host of a lab keeps its file system. `root` is the overlay of the image below and `upper` above. */
export function hostFolders(names: LabNames, host: string) {
  const folder = join(names.folder, 'hosts', host);
  return {
    folder,
    upper: join(folder, 'upper'),
    work: join(folder, 'work'),
    root: join(folder, 'root'),
    console: join(folder, 'console.log'),
  };
}
