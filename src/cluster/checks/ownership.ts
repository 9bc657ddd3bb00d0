/** Is this the machine that we mean, is it one of its own, and may this cluster use it? */
import type { NodeFacts } from '../facts/types.ts';
import { isRunUnit } from '../layout.ts';
import type { Owner } from '../state.ts';
import { type ClusterCheck, type NodeCheck, blocked, failed, list, pass } from './check.ts';

export const owner: NodeCheck = {
  name: 'owner',
  title: 'No other cluster and no other home owns the node',
  scope: 'node',
  judge: ({ spec, facts, homeId }) => {
    const found = facts.state.owner;
    if (found === null) return pass('nobody owns the node');
    if (found.cluster !== spec.name) {
      return blocked(
        `the node belongs to the cluster ${found.cluster} (home ${found.home})`,
        `windlass down --purge with the file of ${found.cluster}, or choose another node.`,
        approvalFor(facts, found),
      );
    }
    if (homeId !== null && found.home !== homeId) {
      return blocked(
        `the node belongs to another home (${found.home}) of a cluster that is also called ${spec.name}`,
        'windlass down --purge from there, or choose another name for this cluster.',
        approvalFor(facts, found),
      );
    }
    return pass(`the node belongs to this cluster since run ${found.fence.run}`);
  },
};

/**
 * Whether the owner is gone only a person knows. Where nothing of it runs, taking the node harms at most a cluster
 * that is down: its next act there finds the new owner and changes nothing.
 */
function approvalFor({ state }: NodeFacts, { cluster, home }: Owner): string | undefined {
  const isInUse = state.units.some(
    ({ name, active }) => isRunUnit(name) && !['inactive', 'failed'].includes(active),
  );
  return isInUse
    ? undefined
    : `take the node from the cluster ${cluster} (home ${home}), which is gone for good`;
}

/** Mended by placing the node again, which gives it to a run with another spec; waiting would be in vain. */
export const nodeIdentity: NodeCheck = {
  name: 'node-identity',
  title: 'The machine at the address is the node that was placed there',
  scope: 'node',
  judge: ({ node, facts }) => {
    const found = facts.state.identity;
    if (found === null) return pass('the machine has no id yet; windlass up mints one');
    if (node.id === undefined || node.id === found.id) return pass(`the machine is node ${found.id}`);
    return failed(
      `the machine is node ${found.id}, the run wants ${node.id}`,
      'Was the address given to another machine? windlass up from the operator’s machine places it again.',
    );
  },
};

/** Two machines with one id would take each other's tasks. A disk that was copied brings the id of the first. */
export const oneIdEach: ClusterCheck = {
  name: 'one-id-each',
  title: 'Each node is a machine of its own, with an id of its own',
  scope: 'cluster',
  judge: ({ spec, nodes }) => {
    const idOf = ({ facts }: (typeof nodes)[number]): string | undefined => facts.state.identity?.id;
    const problems = nodes.flatMap((first, at) => {
      const id = idOf(first);
      const isTold = nodes.slice(0, at).some((other) => idOf(other) === id);
      const same = nodes.filter((other) => id !== undefined && idOf(other) === id);
      if (isTold || same.length < 2) return [];
      return failed(
        `${list(same.map(({ node }) => node.name))} bear the same id (${id}): they are one machine, or the disk of one is a copy`,
        `Name each machine once; from a copied disk remove ${spec.root}/node.json. Then run windlass up.`,
      );
    });
    return problems.length === 0 ? pass('each node has an id of its own, or none yet') : problems;
  },
};
