/** Ports on the head: each for one purpose, and none where Ray's workers take theirs. */
import { rayHelpers } from '../../cluster/gang.ts';
import type { Positions } from '../positions.ts';
import type { Finding, Path } from '../problems.ts';
import { formatPath } from '../problems.ts';
import type { Sections } from '../sections.ts';
import { isBehindFront } from './temporal.ts';

/** The ports from `port` to `last`, both included. */
interface Use {
  readonly path: Path;
  readonly port: number;
  readonly last: number;
}

/** `ray start` refuses its own port in this range, and its workers take the others (10001 is the client's). */
const rayWorkers = { from: 10_001, to: 19_999 };
/** Listening below this needs root, which nothing here has. */
const firstUnprivileged = 1024;

export function checkPorts(sections: Sections, source: Positions): Finding[] {
  const uses = portsOnTheHead(sections);
  return [...uses.flatMap(checkRange), ...checkDistinct(uses, source)];
}

const portOf = (section: string, name: string, port: number | undefined, more = 0): Use[] =>
  port === undefined ? [] : [{ path: [section, name], port, last: port + more }];

function portsOnTheHead({ serving, ray, temporal }: Sections): Use[] {
  const ownTemporal = temporal.address !== undefined;
  return [
    ...portOf('serving', 'port', serving.port),
    ...portOf('serving', 'rendezvousPort', serving.rendezvousPort),
    ...portOf('ray', 'port', ray.port, rayHelpers.length),
    ...(ownTemporal
      ? []
      : [...portOf('temporal', 'port', temporal.port), ...portOf('temporal', 'uiPort', temporal.uiPort)]),
    ...(isBehindFront(temporal.address) ? portOf('temporal', 'frontPort', temporal.frontPort) : []),
  ];
}

function checkRange({ path, port, last }: Use): Finding[] {
  if (port < firstUnprivileged) {
    return [{ path, message: `ports below ${firstUnprivileged} need root; ${port} cannot be used` }];
  }
  if (last < rayWorkers.from || port > rayWorkers.to) return [];
  const range = `${rayWorkers.from} to ${rayWorkers.to}`;
  const what =
    port < rayWorkers.from
      ? `the ports that Ray takes after ${port} reach into those that it gives its workers`
      : `${port} is among the ports that Ray gives its workers`;
  return [{ path, message: `${what} (${range}); choose another` }];
}

/** Report the one that a person wrote; where both were written, the later. */
function checkDistinct(uses: readonly Use[], source: Positions): Finding[] {
  return uses.flatMap((use, index) =>
    uses.slice(0, index).flatMap((earlier) => {
      if (earlier.port > use.last || use.port > earlier.last) return [];
      const [blamed, other] = source.has(use.path) ? [use, earlier] : [earlier, use];
      const where = source.has(other.path) ? `line ${source.lineOf(other.path)}` : 'its default';
      const message =
        use.port === earlier.port
          ? `${use.port} is already ${formatPath(other.path)} (${where})`
          : `${portsOf(blamed)} and ${formatPath(other.path)} (${portsOf(other)}, ${where}) have a port in common`;
      return [{ path: blamed.path, message }];
    }),
  );
}

const portsOf = ({ port, last }: Use): string => (last === port ? String(port) : `${port} to ${last}`);
