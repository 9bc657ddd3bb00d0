/** Processes of a test that do nothing, by who they are. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { ProcessIdentity } from '../../src/process/identity.ts';
import { identityOf } from '../../src/process/identity.ts';

/** Who a process is, with its start time as the kernel has it. */
export async function identified(pid: number): Promise<ProcessIdentity> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const startTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  return identityOf({ pid, startTicks });
}

/** Start one, which ends by itself after a minute. */
export async function sleeper(): Promise<{ child: ChildProcess; identity: ProcessIdentity }> {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  return { child, identity: await identified(child.pid ?? 0) };
}
