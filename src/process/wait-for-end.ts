/**
 * Wait for the end of processes that are not our children: the kernel tells of it, which Node.js cannot hear but Python
 * can. It costs a resting machine some megabytes and no time; to look again and again costs time.
 */
import { execa } from 'execa';
import type { ProcessIdentity } from './identity.ts';
import { lives } from './identity.ts';

/**
 * Resolve with true when one of the processes has ended, with false where this machine cannot wait in this way. The
 * script ends with us, or when `signal` comes.
 */
export async function waitForEnd(
  script: string,
  processes: readonly ProcessIdentity[],
  signal: AbortSignal,
): Promise<boolean> {
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
  const { exitCode } = await child;
  return exitCode === 0;
}
