/** Ends a program that a test or a benchmark has started. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Send the signal and wait until it is gone; one that is gone already is left alone. */
export async function endChild(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
