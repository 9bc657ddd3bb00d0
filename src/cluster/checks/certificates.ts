/** Do the certificates of the workers' way to Temporal still hold? Only `windlass up` renews them. */
import { certificateRenewalMs } from '../layout.ts';
import { type NodeCheck, isHead, pass, warn } from './check.ts';

const names = {
  authority: 'the authority of the cluster’s certificates',
  front: 'the certificate of the front',
  node: 'the certificate of the node',
} as const;

const remedies = {
  authority: 'windlass down --purge, then windlass up, which makes a new one.',
  front: 'windlass up renews it.',
  node: 'windlass up renews it.',
} as const;

/** Never a failure: `windlass up` itself judges this before it renews them. */
export const certificatesHold: NodeCheck = {
  name: 'certificates',
  title: 'The certificates of the node hold for 60 days or more',
  scope: 'node',
  judge: ({ spec, node, facts }) => {
    // Those of a node that was the head once, or is it by now, are nobody's.
    const found = (facts.state.certificates ?? []).filter(({ of }) => (of === 'node') !== isHead(spec, node));
    const problems = found.flatMap(({ of, ends }) => {
      const leftMs = ends - facts.clock;
      if (leftMs > certificateRenewalMs) return [];
      const day = new Date(ends).toISOString().slice(0, 10);
      return [warn(`${names[of]} ${leftMs > 0 ? 'ends' : 'ended'} on ${day}`, remedies[of])];
    });
    if (problems.length > 0) return problems;
    return pass(found.length === 0 ? 'the node has no certificate' : 'they hold for 60 days or more');
  },
};
