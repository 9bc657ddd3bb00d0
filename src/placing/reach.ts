/** Reach all nodes at once from the operator's machine: one ssh connection each, all problems together. */
import type { NodeFacts } from '../cluster/facts/types.ts';
import { factsArguments } from '../cluster/facts/arguments.ts';
import type { ClusterFile, NodeEntry } from '../config/schema.ts';
import { WindlassError, collectProblems, fail } from '../errors.ts';
import type { Environment } from '../process/environment.ts';
import { readFacts } from './read-facts.ts';
import { resolveSshTarget } from '../ssh/config.ts';
import type { SshConnection } from '../ssh/connection.ts';
import { connectWithRetry } from '../ssh/retry.ts';
import { execScript } from '../ssh/exec.ts';
import { readScript } from './script-files.ts';

/** A node with an open ssh connection, which whoever opened it closes. */
export interface ConnectedNode {
  readonly entry: NodeEntry;
  readonly connection: SshConnection;
}

export interface ReachedNode extends ConnectedNode {
  readonly facts: NodeFacts;
  /** When the facts were read, by this machine's clock. */
  readonly readAt: number;
}

/** The whole time one node may need to answer at all. */
const connectDeadlineMs = 25_000;
/** Facts take under a second; emulated machines and unreachable indexes take longer. */
const factsLimitMs = 60_000;

/** Open the ssh connection of one node; errors carry its name and the field of the cluster file that concerns it. */
export async function connectNode(
  file: ClusterFile,
  entry: NodeEntry,
  env: Environment,
): Promise<SshConnection> {
  const index = file.nodes.indexOf(entry);
  return named(entry, `nodes[${index}].ssh.hostKey`, async () => {
    const { host, port, user, identityFile, hostKey } = entry.ssh;
    const target = await resolveSshTarget(
      host ?? entry.address,
      {
        ...(port !== undefined && { port }),
        ...(user !== undefined && { user }),
        ...(identityFile !== undefined && { identityFile }),
      },
      { env },
    );
    return connectWithRetry(target, {
      deadlineMs: connectDeadlineMs,
      ...(hostKey !== undefined && { hostKeyPins: [hostKey] }),
    });
  });
}

/** Read the facts of a node over ssh, by the same script that the node worker runs. */
async function readFactsOver(
  file: ClusterFile,
  entry: NodeEntry,
  connection: SshConnection,
): Promise<NodeFacts> {
  return named(entry, undefined, async () => {
    const result = await execScript(connection, await readScript('facts'), factsArguments(file, entry.name), {
      timeoutMs: factsLimitMs,
      maxBytes: 4 * 1024 * 1024,
    });
    if (result.verdict !== 'exited' || result.exitCode !== 0) {
      throw fail('FACT_UNREADABLE', { fact: 'all', answer: result.stderr.slice(-300) || result.verdict });
    }
    return readFacts(result.stdout);
  });
}

/** Connect to every node and read its facts. The caller closes the connections. */
export async function reachNodes(file: ClusterFile, env: Environment): Promise<ReachedNode[]> {
  return connectNodes(file, env, (node) => readNode(file, node));
}

/** The facts of a node that is connected. */
export async function readNode<T extends ConnectedNode>(
  file: ClusterFile,
  node: T,
): Promise<T & ReachedNode> {
  return {
    ...node,
    facts: await readFactsOver(file, node.entry, node.connection),
    readAt: Date.now(),
  };
}

/** Connect to every node and do the first thing there, each as soon as it is connected. The caller closes the connections. */
export async function connectNodes<T>(
  file: ClusterFile,
  env: Environment,
  first: (node: ConnectedNode) => Promise<T>,
): Promise<T[]> {
  const opened: SshConnection[] = [];
  try {
    return await collectProblems(
      file.nodes.map(async (entry) => {
        const connection = await connectNode(file, entry, env);
        opened.push(connection);
        return first({ entry, connection });
      }),
    );
  } catch (error) {
    for (const connection of opened) connection.close();
    throw error;
  }
}

/** Run work for a node; our errors get its name. */
export async function named<T>(
  entry: NodeEntry,
  field: string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof WindlassError)) throw error;
    const located = field === undefined ? error : fail(error.code, { field, ...error.data }, error);
    located.node = `${entry.name} (${entry.address})`;
    throw located;
  }
}
