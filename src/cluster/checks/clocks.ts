/** Do the nodes agree on the time? Compared with their median, not with the operator's machine. */
import { type ClusterCheck, type Judgement, type Observed, blocked, pass, warn } from './check.ts';

// Beyond this the logs of the ranks can no longer be laid side by side. A look at a slow node takes up to 3 s.
const visibleMs = 5_000;
// Beyond this a certificate or a token made on one node may not be valid yet on the other.
const harmfulMs = 60_000;

export const clockSkew: ClusterCheck = {
  name: 'clock-skew',
  title: 'The clocks of the nodes agree within 5 seconds',
  scope: 'cluster',
  judge: ({ nodes }) => {
    const offsets = offsetsOf(nodes);
    const median = medianOf(offsets);
    const problems = nodes.flatMap((observed, index) => {
      const skew = (offsets[index] ?? median) - median;
      return Math.abs(skew) > visibleMs ? [judgeSkew(observed, skew)] : [];
    });
    return problems.length === 0 ? pass('the clocks agree within 5 s') : problems;
  },
};

/** Of an even number there are two in the middle: nobody can say which of two nodes is wrong but the reader's own clock. */
function medianOf(offsets: readonly number[]): number {
  const sorted = offsets.toSorted((one, other) => one - other);
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return Math.abs(upper) < Math.abs(lower) ? upper : lower;
}

/** Facts that were read at different times are comparable only where it is known when they arrived. */
function offsetsOf(nodes: readonly Observed[]): number[] {
  const areTimed = nodes.every(({ readAt }) => readAt !== undefined);
  return nodes.map(({ facts, readAt }) => facts.clock - (areTimed ? (readAt ?? 0) : 0));
}

function judgeSkew({ node, readAt }: Observed, skew: number): Judgement {
  const sentence = `the clock is ${Math.round(Math.abs(skew) / 1000)} s ${skew > 0 ? 'ahead' : 'behind'} of the other nodes`;
  const remedy = 'sudo timedatectl set-ntp true';
  const isHarmful = Math.abs(skew) > harmfulMs && readAt !== undefined;
  return { ...(isHarmful ? blocked(sentence, remedy) : warn(sentence, remedy)), node: node.name };
}
