/** Is the memory free that the model will need? On unified memory what the host uses, the GPU does not have. */
import { type NodeCheck, classOf, gib, pass, warn } from './check.ts';

// The engine takes a share of what is free before it loads; below half of the machine something large runs there.
const leastShare = 0.5;
// A host without unified memory still reads the weights through its own.
const leastBytes = 4 * 1024 ** 3;

export const memoryAvailable: NodeCheck = {
  name: 'memory-available',
  title: 'Most of the memory is free before the model is loaded',
  scope: 'node',
  judge: (input) => {
    const { totalBytes, availableBytes } = input.facts.memory;
    if (totalBytes === null || availableBytes === null) {
      return warn('free memory cannot be read', 'Run head -3 /proc/meminfo there.');
    }
    const sentence = `${gib(availableBytes)} of ${gib(totalBytes)} memory are free`;
    if (
      input.facts.state.units.some(
        (unit) => unit.name.startsWith('windlass-engine-') && unit.active === 'active',
      )
    ) {
      return pass(`${sentence}; our engine runs there`);
    }
    const isUnified = classOf(input) !== 'other';
    const least = isUnified ? totalBytes * leastShare : leastBytes;
    if (availableBytes >= least) return pass(sentence);
    return warn(
      isUnified ? `${sentence}; GPU and host share it, so the model gets less` : sentence,
      'See what holds it: ps -eo rss,pid,user,comm --sort=-rss | head',
    );
  },
};
