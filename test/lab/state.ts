/** What a lab says about itself on disk, so that another process can use it, keep off it or remove it. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Arch } from './hosts.ts';
import { labsFolder, type LabNames } from './names.ts';
import { isAlive, type ProcessId } from './processes.ts';

export interface LabState {
  /** The process that started the lab and, unless it stays, owns it. */
  readonly starter: ProcessId;
  readonly stays: boolean;
  /** Missing for the first moments of a lab. */
  readonly keeper?: ProcessId;
  readonly hosts: readonly { readonly name: string; readonly arch: Arch; readonly image: string }[];
}

/** Read a lab's state; undefined where there is none. */
export async function readState(names: LabNames): Promise<LabState | undefined> {
  const text = await readFile(names.stateFile, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as LabState);
}

/** Write a lab's state, whole or not at all. */
export async function writeState(names: LabNames, state: LabState): Promise<void> {
  await writeFile(`${names.stateFile}.new`, JSON.stringify(state));
  await rename(`${names.stateFile}.new`, names.stateFile);
}

/** Return whether somebody still sees to the lab: its keeper or, before there is one, the process that starts it. */
export async function isKept({ keeper, starter }: LabState): Promise<boolean> {
  return isAlive(keeper ?? starter);
}

const claim = /^\.starting-(\d+)-(\d+)-/;

/**
 * Make a lab's folder with its state in it from the first moment, so that no sweep takes it for the remains of a dead
 * lab. Throw where the name has been taken meanwhile.
 */
export async function claimFolder(names: LabNames, state: LabState): Promise<void> {
  const { pid, startTime } = state.starter;
  const folder = join(labsFolder, `.starting-${String(pid)}-${String(startTime)}-${names.name}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, basename(names.stateFile)), JSON.stringify(state));
  await rename(folder, names.folder);
  await mkdir(names.relays);
}

/** Remove the folders of those that died while they claimed one. */
export async function removeDeadClaims(): Promise<void> {
  for (const entry of await readdir(labsFolder).catch(() => [])) {
    const [, pid, startTime] = claim.exec(entry) ?? [];
    if (pid === undefined || startTime === undefined) continue;
    if (!(await isAlive({ pid: Number(pid), startTime: Number(startTime) })))
      await rm(join(labsFolder, entry), { recursive: true, force: true });
  }
}
