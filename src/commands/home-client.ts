/** A client of the home's Temporal service, through one ssh forward to the head; or of the user's own service. */
import { standingUnits } from '../cluster/layout.ts';
import { WindlassError, fail } from '../errors.ts';
import type { ClusterFile } from '../config/schema.ts';
import type { SshConnection } from '../ssh/connection.ts';
import { connectNode } from '../placing/reach.ts';
import type { Look } from '../placing/look.ts';
import type { Environment } from '../process/environment.ts';
import { execOk } from '../ssh/exec.ts';
import { forwardLocal } from '../ssh/forward.ts';
import { SshLine } from '../ssh/line.ts';
import type { HomeConnection } from '../temporal/connection.ts';

/**
 * Start to load what speaks to Temporal, the largest part of the program, so that it is there when the nodes have
 * answered. A failure shows where the client is opened.
 */
export function warmTemporal(): void {
  import('../temporal/runs.ts').catch(() => undefined);
}

/** A home that is there answers at once; one that was stopped is not waited for. */
const standingHomeMs = 5_000;

/** One that was started a moment ago has its store to open first. */
export const startingHomeMs = 30_000;

/** How long a home is waited for that was not placed anew: longer while it may still be starting, as after a boot. */
export function homeLimitMs({ active }: Pick<Look, 'active'>): number {
  const activeMs = active.get(standingUnits.temporal);
  return activeMs !== undefined && activeMs < startingHomeMs ? startingHomeMs : standingHomeMs;
}

/** Connect through a connection to the head that is already open; when it is lost, another takes its place. */
export async function openHomeClient(
  file: ClusterFile,
  head: SshConnection,
  env: Environment,
  limitMs = startingHomeMs,
): Promise<HomeConnection> {
  const { connectClient } = await import('../temporal/connection.ts');
  const { temporal } = file;
  const [host, port] =
    temporal.address === undefined ? ['127.0.0.1', temporal.port] : splitAddress(temporal.address);
  const entry = file.nodes.find((node) => node.name === file.head);
  if (!entry) throw fail('INTERNAL', { message: 'no head' });
  const line = new SshLine(head, () => connectNode(file, entry, env));
  const forward = await forwardLocal(line, { toHost: host, toPort: port });
  const place = { address: `127.0.0.1:${forward.port}`, namespace: temporal.namespace };
  const home = await connectWhenUp((leftMs) => connectClient(place, leftMs), limitMs).catch(
    (error: unknown) => {
      throw atItsPlace(error, temporal.address ?? `${host}:${port} on ${file.head}`);
    },
  );
  return {
    client: home.client,
    close: async () => {
      await home.close();
      await forward.close();
      line.close();
    },
  };
}

/** The end of our own forward tells nobody anything: the error names where the service should be. */
function atItsPlace(error: unknown, address: string): unknown {
  if (!isUnreachable(error)) return error;
  return fail('TEMPORAL_UNREACHABLE', { ...error.data, address }, error);
}

const isUnreachable = (error: unknown): error is WindlassError =>
  error instanceof WindlassError && error.code === 'TEMPORAL_UNREACHABLE';

/** Connect to a home that must be there already; throws NO_HOME where none was ever placed. */
export async function openStandingHome(
  file: ClusterFile,
  head: SshConnection,
  env: Environment,
): Promise<HomeConnection> {
  return openHomeClient(file, head, env, standingHomeMs).catch(async (error: unknown) => {
    if (!isUnreachable(error) || (await hasHome(head))) throw error;
    throw fail('NO_HOME', { node: file.head }, error);
  });
}

async function hasHome(head: SshConnection): Promise<boolean> {
  const args = ['-c', 'systemctl --user cat "$1" >/dev/null 2>&1; echo $?', 'sh', standingUnits.control];
  return (await execOk(head, { file: 'sh', args })).stdout.trim() === '0';
}

/** Ask something of a home that must be there already. */
export async function withStandingHome<T>(
  file: ClusterFile,
  env: Environment,
  work: (client: HomeConnection['client']) => Promise<T>,
): Promise<T> {
  const entry = file.nodes.find((node) => node.name === file.head);
  if (!entry) throw fail('INTERNAL', { message: 'no head' });
  warmTemporal();
  const connection = await connectNode(file, entry, env);
  try {
    const home = await openStandingHome(file, connection, env);
    try {
      return await work(home.client);
    } finally {
      await home.close();
    }
  } finally {
    connection.close();
  }
}

function splitAddress(address: string): [string, number] {
  const at = address.lastIndexOf(':');
  return [address.slice(0, at).replace(/^\[|\]$/g, ''), Number(address.slice(at + 1))];
}

/** Try until it answers or the limit has passed; each try is told how much is left of that. */
async function connectWhenUp<T>(connect: (leftMs: number) => Promise<T>, limitMs: number): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const leftMs = end - Date.now();
    try {
      return await connect(Math.max(leftMs, 1_000));
    } catch (error) {
      if (leftMs <= 1_000) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
