/** Can NCCL use on every node the transport that the file demands? It says nothing where it cannot, and waits. */
import { holdsRoce } from '../network.ts';
import { type ClusterCheck, list, pass, warn } from './check.ts';

export const transport: ClusterCheck = {
  name: 'transport',
  title: 'Each node has the network that network.transport demands',
  scope: 'cluster',
  judge: ({ spec, nodes }) => {
    if (spec.network.transport !== 'roce') return pass('sockets, or RoCE where every node has it');
    const without = nodes.filter((each) => !holdsRoce(each)).map(({ node }) => node.name);
    if (without.length === 0) return pass('every node has an active RDMA device on its cluster interface');
    return warn(
      `network.transport is roce, and no active RDMA device is known on the cluster interface of ${list(without)}; ` +
        'ranks of which some have RoCE and some not wait for each other without a word',
      'Look there: ls /sys/class/infiniband/*/device/net; or set network.transport to auto.',
    );
  },
};
