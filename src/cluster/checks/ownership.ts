/** Is this the machine that we mean, and may this cluster use it? */
import { type NodeCheck, failed, pass } from './check.ts';

export const owner: NodeCheck = {
  name: 'owner',
  title: 'No other cluster and no other home owns the node',
  scope: 'node',
  judge: ({ spec, facts, homeId }) => {
    const found = facts.state.owner;
    if (found === null) return pass('nobody owns the node');
    if (found.cluster !== spec.name) {
      return failed(
        `the node belongs to the cluster ${found.cluster} (home ${found.home})`,
        `windlass down --purge with the file of ${found.cluster}, or choose another node.`,
      );
    }
    if (homeId !== null && found.home !== homeId) {
      return failed(
        `the node belongs to another home (${found.home}) of a cluster that is also called ${spec.name}`,
        'windlass down --purge from there, or choose another name for this cluster.',
      );
    }
    return pass(`the node belongs to this cluster since run ${found.fence.run}`);
  },
};

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
