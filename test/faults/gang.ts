/** The gang of the scene as processes: what a fault that concerns none of it must leave as it was. */
import { deepEqual, equal } from 'node:assert/strict';
import type { Host } from '../lab/host.ts';
import type { HostProcess } from '../lab/host-processes.ts';
import { unitPids } from '../lab/ledger.ts';
import type { Fault } from './fault.ts';
import { processesOf, type Scene } from './scene.ts';

/** The units of Ray and the engine on all hosts, each with the pid of its main process. */
export async function gangOf(scene: Scene, units = /-(ray|engine)-/): Promise<string[]> {
  const pids = await Promise.all(scene.hosts.map((host) => unitPids(host)));
  return pids.flatMap((each) =>
    Object.entries(each).flatMap(([name, pid]) => (units.test(name) ? [`${name} ${pid}`] : [])),
  );
}

/** The one rank of a host. Throws where there is none. */
export async function rankOf(host: Host): Promise<HostProcess> {
  const ranks = (await processesOf(host, /windlass-ray-/)).filter(({ commandLine }) =>
    commandLine.join(' ').includes('ray::SchedulerActor'),
  );
  const [rank] = ranks;
  if (!rank || ranks.length > 1) throw new Error(`${String(ranks.length)} ranks run on ${host.name}`);
  return rank;
}

/** A fault that meets a cluster which serves, and of which nothing may end by it. */
export function servesOn(fault: Omit<Fault, 'start'>): Fault {
  let before: readonly string[] = [];
  return {
    ...fault,
    start: 'serving',
    inject: async (scene) => {
      before = await gangOf(scene);
      equal(before.length, 3, 'a Ray on each host, and an engine');
      return fault.inject(scene);
    },
    judge: async (scene, outcome) => {
      await fault.judge?.(scene, outcome);
      deepEqual(await gangOf(scene), before, 'what serves goes on');
    },
  };
}
