/** A second version of windlass, as an upgrade would bring it, and which version runs on the hosts. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { repository } from '../lab/stage.ts';
import { dist } from './places.ts';
import type { Scene } from './scene.ts';

let made: Promise<string> | undefined;

/** Its `dist` folder. It is of the same release, so that each of the two may follow the other; its content is another. */
export async function otherVersion(): Promise<string> {
  return (made ??= make());
}

async function make(): Promise<string> {
  const folder = join(repository, 'out/other-version');
  await rm(folder, { recursive: true, force: true });
  await cp(dirname(dist), folder, { recursive: true });
  // At the beginning, since a bundle ends with its source map.
  for (const file of ['payload/node-worker.js', 'payload/control-worker.js', 'workflow-bundle.cjs']) {
    const path = join(folder, 'dist', file);
    await writeFile(path, `// Another version.\n${await readFile(path, 'utf8')}`);
  }
  return join(folder, 'dist');
}

const running = 'readlink -f "/proc/$(systemctl --user show --property MainPID --value "$1")/exe"';

/** The programs that run as node workers, and as control worker on the head: each lies in the folder of its version. */
export async function runningVersions({ hosts, head }: Scene): Promise<string[]> {
  const units = [
    ...hosts.map((host) => ({ host, unit: 'windlass-node' })),
    { host: head, unit: 'windlass-control' },
  ];
  return Promise.all(
    units.map(async ({ host, unit }) => {
      // It may end between the two questions.
      const { stdout } = await host.exec(['sh', '-c', running, 'sh', unit], { reject: false });
      return `${host.name} ${unit} ${stdout.trim()}`;
    }),
  );
}
