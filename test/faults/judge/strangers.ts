/**
 * I2: what windlass did not start is untouched. On every host stand processes with the names that careless tools kill
 * by, and files beside its own; afterwards they are the same ones. A host's power cut ends them, and that is no harm.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Host } from '../../lab/host.ts';

const names = ['ray', 'redis-server'];
const files = ['/home/dgx/notes.txt', '/home/dgx/.local/share/others/state.json', '/tmp/ray-of-a-colleague'];
const bootId = '/proc/sys/kernel/random/boot_id';

interface Witness {
  readonly boot: string;
  readonly processes: readonly string[];
  readonly files: readonly string[];
}

export class Strangers {
  private readonly hosts: readonly Host[];
  private readonly placed = new Map<string, Witness>();

  private constructor(hosts: readonly Host[]) {
    this.hosts = hosts;
  }

  static async place(hosts: readonly Host[]): Promise<Strangers> {
    const strangers = new Strangers(hosts);
    for (const host of hosts) {
      for (const path of files) await host.writeFile(path, `${host.name} ${path}\n`);
    }
    await strangers.return();
    return strangers;
  }

  /** Start them again on hosts that have been without power. */
  async return(): Promise<void> {
    for (const host of this.hosts) {
      const boot = await readBoot(host);
      if (this.placed.get(host.name)?.boot === boot) continue;
      for (const name of names) {
        const unit = `others-${name}`;
        const program = ['bash', '-c', `exec -a ${name} sleep infinity`];
        await host.exec(['systemd-run', '--quiet', `--unit=${unit}`, '--uid=dgx', ...program], {
          user: 'root',
        });
      }
      await host.writeFile('/tmp/ray-of-a-colleague', `${host.name} /tmp/ray-of-a-colleague\n`);
      this.placed.set(host.name, await look(host, boot));
    }
  }

  /** Sentences about hosts on which one of them is not what it was. */
  async judge(): Promise<string[]> {
    const touched: string[] = [];
    for (const host of this.hosts) {
      const boot = await readBoot(host);
      const before = this.placed.get(host.name);
      if (before?.boot !== boot) continue;
      const now = await look(host, boot);
      if (!isDeepStrictEqual(now, before))
        touched.push(
          `I2: what stood on ${host.name} beside windlass was touched: ${JSON.stringify({ before, now })}`,
        );
    }
    return touched;
  }
}

const readBoot = async (host: Host): Promise<string> =>
  (await host.exec(['cat', bootId], { user: 'root' })).stdout.trim();

async function look(host: Host, boot: string): Promise<Witness> {
  const processes = (await host.processes()).filter(({ cgroup }) => /\/others-/.test(cgroup));
  const contents = await Promise.all(files.map((path) => host.readFile(path).catch(() => 'gone')));
  return {
    boot,
    processes: processes.map(({ pid, startTime }) => `${String(pid)} since ${String(startTime)}`).toSorted(),
    files: contents.map((text) => createHash('sha256').update(text).digest('hex')),
  };
}
