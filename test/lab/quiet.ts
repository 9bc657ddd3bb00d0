/** Snapshots of hosts at rest: nobody is logged in, and what a login wakes has come and gone. */
import type { Host } from './host.ts';
import { until } from './run.ts';
import type { Snapshot } from './snapshot.ts';

/** Asking for lingering wakes the system's own polkit, which then stays; it is no trace of ours. */
export async function wakePolkit(hosts: readonly Host[]): Promise<void> {
  await Promise.all(hosts.map((host) => host.exec(['systemctl', 'start', 'polkit'], { user: 'root' })));
}

/** The manager of a user stays for some seconds after the last login; a snapshot wants it gone. */
export async function allLoggedOut(hosts: readonly Host[]): Promise<void> {
  const isActive = async (host: Host): Promise<boolean> => {
    const argv = ['systemctl', 'is-active', 'user@1000.service'];
    const { stdout } = await host.exec(argv, { user: 'root', reject: false });
    return ['active', 'deactivating'].includes(stdout.trim());
  };
  await until(
    'the user managers have ended',
    async () => !(await Promise.all(hosts.map(isActive))).includes(true),
    { seconds: 60, everyMs: 200 },
  );
}

/** Take down what is on every host once all are at rest. */
export async function quietSnapshots(hosts: readonly Host[]): Promise<Snapshot[]> {
  await allLoggedOut(hosts);
  return Promise.all(hosts.map((host) => host.snapshot()));
}

/** A snapshot without the caches of other tools, which windlass fills and never empties. */
export const withoutCache = (snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  files: Object.fromEntries(
    Object.entries(snapshot.files).filter(([path]) => !path.startsWith('/home/dgx/.cache')),
  ),
});
