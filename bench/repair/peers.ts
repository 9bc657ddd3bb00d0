/** How soon others notice, on the same hosts: Ray, a unit of systemd, and an activity that is left to the SDK's defaults. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../test/faults/places.ts';
import type { Host } from '../../test/lab/host.ts';
import { until } from '../../test/lab/run.ts';
import type { Cluster } from './cluster.ts';
import { pythonOf, rayletOf } from './cluster.ts';

const sees = '/tmp/ray-sees.json';

/** Milliseconds from a harm to the moment at which Ray's own list of nodes says that the worker node is dead. */
export async function rayNotices(
  cluster: Cluster,
  harm: (cluster: Cluster) => Promise<void>,
  seconds: number,
): Promise<number> {
  const { head, worker } = cluster;
  await head.exec(['rm', '-f', sees]);
  const program = await readFile(join(import.meta.dirname, 'ray-sees.py'), 'utf8');
  const environment = ['RAY_AUTH_MODE=token', `RAY_AUTH_TOKEN_PATH=${root}/secrets/rayToken`];
  const argv = ['env', ...environment, await pythonOf(head), '-c', program];
  const { spec } = head;
  const looking = head.exec([...argv, `${spec.address}:6379`, worker.spec.address, sees, String(seconds)]);
  await Promise.race([
    until('Ray tells of its nodes', () => head.readFile(sees).catch(() => undefined), { seconds: 60 }),
    looking.then(({ stdout }) => {
      throw new Error(`nobody looked at Ray: ${stdout}`);
    }),
  ]);
  const at = Date.now();
  await harm(cluster);
  const { stdout } = await looking;
  // Found by what it says: lines of Ray's own may share this output, and one run had another line at its end.
  const deadAt = /^dead at (\d+)$/m.exec(stdout)?.[1];
  if (deadAt === undefined) throw new Error(`nobody said when Ray held the node for dead: ${stdout}`);
  return Number(deadAt) - at;
}

/** The two harms that a Ray of its own meets. */
export const killRaylet = async ({ worker }: Cluster): Promise<void> => {
  process.kill((await rayletOf(worker)).pid, 'SIGKILL');
};
export const cutOff = async ({ worker }: Cluster): Promise<void> => worker.cutOff();

/** Milliseconds from the death of a unit's process to its next start, by a unit that says nothing but `Restart=always`. */
export async function systemdRestarts(host: Host, times: number): Promise<number[]> {
  const log = '/tmp/plain-unit';
  const script = `date +%s%3N >>${log}; exec sleep infinity`;
  const unit = ['--quiet', '--unit=plain', '-p', 'Restart=always', '-p', 'StartLimitIntervalSec=0'];
  const starts = async (): Promise<number[]> =>
    (await host.readFile(log).catch(() => '')).split('\n').filter(Boolean).map(Number);
  const begun = async (count: number): Promise<number> =>
    until('the unit starts', async () => (await starts())[count - 1], { everyMs: 20 });
  await host.exec(['systemd-run', '--user', ...unit, 'sh', '-c', script]);
  const found: number[] = [];
  try {
    for (let nth = 1; nth <= times; nth += 1) {
      await begun(nth);
      const plain = await until('the unit sleeps', async () =>
        (await host.processes()).find(
          ({ cgroup, commandLine }) => cgroup.endsWith('/plain.service') && commandLine[0] === 'sleep',
        ),
      );
      const at = Date.now();
      process.kill(plain.pid, 'SIGKILL');
      found.push((await begun(nth + 1)) - at);
    }
  } finally {
    await host.exec(['systemctl', '--user', 'stop', 'plain.service']);
    await host.exec(['rm', '-f', log]);
  }
  return found;
}
