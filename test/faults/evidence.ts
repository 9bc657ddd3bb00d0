/** What a failing case leaves: one folder with all that can be judged from, besides what the product says of itself. */
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../lab/host.ts';
import type { Fault } from './fault.ts';
import { titleOf } from './fault.ts';
import { evidenceFolder, root } from './places.ts';
import type { Scene } from './scene.ts';

/** Write the folder and return its path. */
export async function keepEvidence(scene: Scene, fault: Fault, problems: readonly string[]): Promise<string> {
  const folder = join(evidenceFolder, titleOf(fault).replaceAll(/[ /]+/g, '-'));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'problems.txt'), `${problems.join('\n')}\n`);
  await writeFile(join(folder, 'commands.json'), JSON.stringify(scene.said, null, 2));
  await cp(scene.samples.path, join(folder, 'samples.jsonl'));
  const histories = await scene.histories().catch(() => []);
  await writeFile(join(folder, 'histories.json'), JSON.stringify(histories, null, 1));
  for (const host of scene.hosts) if (await host.isOn()) await keepHost(host, join(folder, host.name));
  return folder;
}

/** File name → what is asked of a host for it. */
const questions: Readonly<Record<string, string>> = {
  'ledger.jsonl': `cat ${root}/ledger.jsonl`,
  'owner.json': `cat ${root}/owner.json`,
  'unit-logs.txt': `tail -c 20000 ${root}/runs/*/log`,
  'listening.txt': 'ss -ltnp',
  'processes.txt': 'ps -eo pid,ppid,lstart,stat,args --forest',
  'journal.txt': 'journalctl --no-pager -n 2000',
  'sshd.txt': 'journalctl --no-pager -n 500 -u ssh',
};

async function keepHost(host: Host, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, script] of Object.entries(questions)) {
    const { stdout, stderr } = await host.exec(['sh', '-c', script], {
      user: 'root',
      reject: false,
      timeout: 20_000,
      maxBuffer: 2 ** 26,
    });
    await writeFile(join(folder, name), stdout + stderr);
  }
}
