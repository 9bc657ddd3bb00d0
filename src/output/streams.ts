/** What becomes of what the program says: a reader that went away is no error of ours, a full disk is one sentence. */
import { errnoOf } from '../process/files.ts';

/**
 * Take errors of standard output and error, once and before anything is said. Returns a function that tells whether
 * something that was said is lost.
 */
export function guardStreams(): () => boolean {
  let isLost = false;
  const take = (name: string) => (error: Error) => {
    const code = errnoOf(error);
    // As in `| head -1`.
    if (code === 'EPIPE' || isLost) return;
    isLost = true;
    process.stderr.write(`${name} cannot be written: ${code ?? error.message}\n`);
  };
  process.stdout.on('error', take('standard output'));
  process.stderr.on('error', take('standard error'));
  return () => isLost;
}
