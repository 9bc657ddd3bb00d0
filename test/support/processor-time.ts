/** Judges how much work something is, whatever else the machine does meanwhile. */

/** Return the processor time that a computation took, in seconds. */
export function processorSeconds(compute: () => unknown): number {
  const before = process.cpuUsage();
  compute();
  return process.cpuUsage(before).user / 1e6;
}

/** What each hostile text takes well under a second for; a way that grows with the square of its size takes minutes. */
export const muchWork = 10;
