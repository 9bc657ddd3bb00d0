/**
 * Wait for the end of processes that are not our children: the kernel tells of it, which Node.js cannot hear but Python
 * can. It costs a resting machine some megabytes and no time; to look again and again costs time.
 */
import { execa } from 'execa';
import type { ProcessIdentity } from './identity.ts';
import { lives } from './identity.ts';

/**
 * Resolve when one of the processes has ended, or when nobody waits for that any more: `signal` has come, or this machine
 * cannot wait in this way. The script ends with us.
 */
export async function waitForEnd(
  script: string,
  processes: readonly ProcessIdentity[],
  signal: AbortSignal,
): Promise<void> {
  const pids = processes.map(({ pid }) => String(pid));
  // Isolated, and without the site's packages: nothing of the user's is loaded, and little memory is held.
  const child = execa('python3', ['-I', '-S', script, ...pids], {
    stdin: 'pipe',
    stderr: 'ignore',
    cancelSignal: signal,
    reject: false,
  });
  // A process that ended before it was watched may have left its pid to another one.
  child.stdout.once('data', () => {
    if (!processes.every(lives)) child.kill();
  });
  await child;
}
