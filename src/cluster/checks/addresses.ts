/** Is the node where the file says, and which interface is that? */
import { interfaceOf } from '../network.ts';
import { type NodeCheck, blocked, failed, list, pass, warn } from './check.ts';

export const addressOwned: NodeCheck = {
  name: 'address-owned',
  title: 'An interface holds the node’s cluster address, and is up',
  scope: 'node',
  judge: ({ node, facts }) => {
    const holder = facts.interfaces.find((each) => each.name === interfaceOf(facts, node.address));
    if (!holder) {
      const held = facts.interfaces.flatMap((each) =>
        each.addresses.filter(isOfUse).map((address) => `${address} (${each.name})`),
      );
      return failed(
        `no interface holds ${node.address}; there are ${held.length === 0 ? 'no addresses' : list(held.slice(0, 6))}`,
        'Set nodes[].address to the one on the cluster network.',
      );
    }
    if (!holder.up) {
      return blocked(
        `${holder.name} holds ${node.address} and has no link`,
        `Look at its cable; then: sudo ip link set ${holder.name} up`,
      );
    }
    return pass(`${holder.name} holds ${node.address}, MTU ${holder.mtu}`);
  },
};

export const interfaceNamed: NodeCheck = {
  name: 'interface-named',
  title: 'The interface that the file names for NCCL and Gloo exists',
  scope: 'node',
  judge: ({ node, facts }) => {
    if (node.interface === undefined)
      return pass('the file names none; the one that holds the address is taken');
    const named = facts.interfaces.find((each) => each.name === node.interface);
    if (!named) {
      return failed(
        `there is no interface ${node.interface}; there are ${list(facts.interfaces.map((each) => each.name).slice(0, 10))}`,
        'Correct nodes[].interface, or remove it: then the one that holds the address is taken.',
      );
    }
    if (interfaceOf(facts, node.address) !== named.name) {
      return warn(
        `${named.name} does not hold ${node.address}, so NCCL and Gloo use another network than Ray`,
        'Remove nodes[].interface unless this is meant.',
      );
    }
    return pass(`${named.name} exists`);
  },
};

export const ownNameLoopback: NodeCheck = {
  name: 'own-name-loopback',
  title: 'The node’s own name does not lead to loopback',
  scope: 'node',
  judge: ({ node, facts }) => {
    const name = facts.hostName ?? 'its own name';
    const loopback = facts.ownNameAddresses.find(isLoopback);
    if (facts.ownNameAddresses.length === 0) {
      return warn(
        `${name} resolves to nothing there`,
        `Add a line to /etc/hosts there: ${node.address} ${name}`,
      );
    }
    if (loopback === undefined)
      return pass(`${name} resolves to ${list(facts.ownNameAddresses.slice(0, 4))}`);
    const chosen = node.interface ?? interfaceOf(facts, node.address) ?? 'the cluster interface';
    return warn(
      `${name} resolves to ${loopback} there, which peers of Gloo could not reach`,
      `Nothing to do: windlass sets GLOO_SOCKET_IFNAME=${chosen}.`,
    );
  },
};

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

function isOfUse(address: string): boolean {
  return !isLoopback(address) && !address.toLowerCase().startsWith('fe80:');
}
