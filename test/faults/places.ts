/** Where things lie on the hosts and in the repository. */
import { join } from 'node:path';
import { repository } from '../lab/stage.ts';

/** Root of windlass on a host. */
export const root = '/home/dgx/.local/share/windlass';

/** What the operator brings up. */
export const clusterFile = 'test/fixtures/faults.yaml';

/** The build with crash points: `node scripts/build.mjs --crash-points`. */
export const dist = join(repository, 'out/crash-points/dist');

/** A failing case leaves a folder here. */
export const evidenceFolder = join(repository, 'out/faults');
