/** Are the ports free on which the head will listen? One that a unit of ours holds counts as free. */
import type { Listener } from '../facts/types.ts';
import { helperPorts } from '../gang.ts';
import {
  type CheckedSpec,
  type Judgement,
  type NodeCheck,
  type NodeInput,
  blocked,
  isHead,
  list,
  pass,
  warn,
} from './check.ts';
import { stopCommand } from './stop-command.ts';

interface WantedPort {
  readonly port: number;
  /** Where the file sets it. */
  readonly field: string;
  /** The address that it is bound to; null for all addresses. */
  readonly address: string | null;
}

export const portFree: NodeCheck = {
  name: 'port-free',
  title: 'The ports of Ray are free, on the head those of the API, the rendezvous and the home too',
  scope: 'node',
  judge: ({ spec, node, facts }) => {
    const head = isHead(spec, node);
    const ray = [...(head ? [spec.ray.port] : []), ...helperPorts(spec.ray.port)];
    const others = head ? portsOfHead(spec, node.address) : [];
    const ports = list([`${ray[0]} to ${ray.at(-1)}`, ...others.map(({ port }) => String(port))]);
    const wanted = [
      ...ray.map((port): WantedPort => ({ port, field: 'ray.port', address: null })),
      ...others,
    ];
    const { listeners } = facts;
    if (listeners === null) {
      return warn(
        `who listens on ${ports} cannot be read`,
        'Install iproute2 there: sudo apt install iproute2',
      );
    }
    const problems = wanted.flatMap((each) => {
      const holder = listeners.find((listener) => isInTheWay(listener, each));
      return holder ? [explainHolder(holder, each, facts.user.name)] : [];
    });
    return problems.length === 0 ? pass(`TCP ${ports} are free or held by units of ours`) : problems;
  },
};

/** The rendezvous listens on all addresses, the home on loopback, the rest on the address of the cluster. */
function portsOfHead({ serving, temporal }: CheckedSpec, headAddress: string): WantedPort[] {
  const loopback = '127.0.0.1';
  return [
    { port: serving.port, field: 'serving.port', address: serving.address ?? headAddress },
    { port: serving.rendezvousPort, field: 'serving.rendezvousPort', address: null },
    ...(temporal.address === undefined
      ? [
          { port: temporal.port, field: 'temporal.port', address: loopback },
          { port: temporal.uiPort, field: 'temporal.uiPort', address: loopback },
        ]
      : []),
    // A service of the user's own is behind the front too, unless it is dialled in plain text.
    ...(temporal.address === undefined || temporal.plaintext !== true
      ? [{ port: temporal.frontPort, field: 'temporal.frontPort', address: headAddress }]
      : []),
  ];
}

const everywhere = ['*', '0.0.0.0', '::'];

function isInTheWay(listener: Listener, { port, address }: WantedPort): boolean {
  const isOurs = listener.unit?.startsWith('windlass-') === true;
  if (isOurs || listener.port !== port) return false;
  if (address === null || everywhere.includes(address)) return true;
  return everywhere.includes(listener.address) || listener.address === address;
}

function explainHolder(
  holder: Listener,
  { port, field }: WantedPort,
  me: NodeInput['facts']['user']['name'],
): Judgement {
  const known = [
    ...(holder.pid === null ? [] : [`pid ${holder.pid}`]),
    ...(holder.user === null ? [] : [`user ${holder.user}`]),
    ...(holder.unit === null ? [] : [holder.unit]),
  ];
  const who = `${holder.process ?? 'a process'}${known.length === 0 ? '' : ` (${known.join(', ')})`}`;
  const pids = holder.pid === null ? [] : [holder.pid];
  const stop = stopCommand({ ...holder, pids }, me) ?? `sudo ss -ltnp 'sport = :${port}'`;
  return blocked(`TCP ${port} is held by ${who}, which windlass did not start`, `${stop}, or set ${field}.`);
}
