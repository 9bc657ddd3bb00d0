/**
 * Prepared labs in the cache folder: the disks of hosts that are off and the operator's home, to start from later.
 */
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, hostFolders, type LabNames } from './names.ts';
import { run } from './run.ts';
import type { LabState } from './state.ts';

type SavedHosts = LabState['hosts'];

function savedFolder(label: string): string {
  if (!/^[\w.-]{1,80}$/.test(label)) throw new Error(`label ${label}: use letters, digits, dots and dashes`);
  return join(cacheFolder(), 'saved', label);
}

/** Copy the hosts' disks and the operator's home under a label, in place of what was saved there before. */
export async function saveDisks(names: LabNames, hosts: SavedHosts, label: string): Promise<void> {
  const folder = savedFolder(label);
  const saving = `${folder}.${String(process.pid)}.saving`;
  await rm(saving, { recursive: true, force: true });
  await mkdir(saving, { recursive: true });
  try {
    for (const { name } of hosts) await copyTree(hostFolders(names, name).upper, join(saving, name));
    await copyTree(names.operatorHome, join(saving, 'operator'));
    await writeFile(join(saving, 'hosts.json'), JSON.stringify(hosts));
    await rm(folder, { recursive: true, force: true });
    await rename(saving, folder);
  } finally {
    await rm(saving, { recursive: true, force: true });
  }
}

/** Read which hosts were saved under a label; undefined where nothing was, or where their image is gone. */
export async function readSavedHosts(label: string): Promise<SavedHosts | undefined> {
  const text = await readFile(join(savedFolder(label), 'hosts.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const hosts = JSON.parse(text) as SavedHosts;
  const images = hosts.map(({ image }) =>
    stat(image).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(images)).every(Boolean) ? hosts : undefined;
}

/** Put saved disks and the operator's home into the folders of a lab that is being started. */
export async function restoreDisks(names: LabNames, hosts: SavedHosts, label: string): Promise<void> {
  const folder = savedFolder(label);
  for (const { name } of hosts) {
    await mkdir(hostFolders(names, name).folder, { recursive: true });
    await copyTree(join(folder, name), hostFolders(names, name).upper);
  }
  await copyTree(join(folder, 'operator'), names.operatorHome);
}

/** Copy a folder with owners, modes and the attributes by which an overlay marks what it hides. */
async function copyTree(from: string, to: string): Promise<void> {
  await run('cp', ['--archive', '--reflink=auto', from, to]);
}
