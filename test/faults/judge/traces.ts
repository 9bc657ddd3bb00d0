/** I5: `down --purge` leaves file system, units, ports and processes as they were before the first `up`. */
import { deepEqual } from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../lab/names.ts';
import { quietSnapshots, wakePolkit, withoutCache } from '../../lab/quiet.ts';
import type { Host } from '../../lab/host.ts';
import type { Snapshot } from '../../lab/snapshot.ts';

/** Beside the saved state, whose hosts no longer show how they once were. */
const path = (): string => join(cacheFolder(), 'saved', 'faults-fresh.json');

/** Take down how fresh hosts are, the witnesses of the suite included. */
export async function lookFresh(hosts: readonly Host[]): Promise<Snapshot[]> {
  await wakePolkit(hosts);
  return quietSnapshots(hosts);
}

/** Keep what was taken down, to go with the saved state. */
export async function keepFresh(fresh: readonly Snapshot[]): Promise<void> {
  await mkdir(join(path(), '..'), { recursive: true });
  await writeFile(path(), JSON.stringify(fresh));
}

/** What was kept with the saved state. */
export async function readFresh(): Promise<Snapshot[]> {
  return JSON.parse(await readFile(path(), 'utf8')) as Snapshot[];
}

/** A sentence where something of ours, or of what a fault did, is left on the hosts. */
export async function leftOnHosts(hosts: readonly Host[], before: readonly Snapshot[]): Promise<string[]> {
  try {
    deepEqual((await quietSnapshots(hosts)).map(withoutCache), before.map(withoutCache));
    return [];
  } catch (error) {
    return [`I5: after down --purge a host is not as it was: ${(error as Error).message}`];
  }
}
