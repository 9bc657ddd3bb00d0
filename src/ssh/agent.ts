/**
 * The user's ssh agent, of which a login sees only the keys that it may offer. It signs for our own login and is
 * never forwarded to a node.
 */
import ssh2, { type OpenSSHAgent, type ParsedKey } from 'ssh2';
import { fingerprint } from './known-hosts.ts';

// An agent that asks its user for each signature still lists its keys at once.
const LIST_TIMEOUT_MS = 3_000;

/** An agent that shows some of its keys, in an order of our choice. */
export class AgentKeys extends ssh2.OpenSSHAgent {
  readonly #socket: string;
  readonly #keys: readonly ParsedKey[];

  constructor(socket: string, keys: readonly ParsedKey[]) {
    super(socket);
    this.#socket = socket;
    this.#keys = keys;
  }

  /** The keys by comment or fingerprint, for messages. */
  get names(): string[] {
    return this.#keys.map((key) => `${key.comment || fingerprint(key.getPublicSSH())} (agent)`);
  }

  holds(publicKey: Buffer): boolean {
    return this.#keys.some((key) => key.getPublicSSH().equals(publicKey));
  }

  /** Nothing but these keys. */
  only(publicKeys: readonly Buffer[]): AgentKeys {
    return new AgentKeys(
      this.#socket,
      this.#keys.filter((key) => isOneOf(key, publicKeys)),
    );
  }

  /** These keys before the others: a server counts the offers and stops listening after a few. */
  first(publicKeys: readonly Buffer[]): AgentKeys {
    const others = this.#keys.filter((key) => !isOneOf(key, publicKeys));
    return new AgentKeys(this.#socket, [...this.#keys.filter((key) => isOneOf(key, publicKeys)), ...others]);
  }

  override getIdentities(callback: Parameters<OpenSSHAgent['getIdentities']>[0]): void {
    callback(undefined, [...this.#keys]);
  }
}

const isOneOf = (key: ParsedKey, publicKeys: readonly Buffer[]): boolean =>
  publicKeys.some((publicKey) => key.getPublicSSH().equals(publicKey));

/** An agent that is asked once, and hung up on when it does not answer: an open line would keep the program waiting. */
class AskedAgent extends ssh2.OpenSSHAgent {
  #line: { destroy(): void } | undefined;

  override getStream(callback: Parameters<OpenSSHAgent['getStream']>[0]): void {
    super.getStream((error, stream) => {
      this.#line = stream;
      callback(error, stream);
    });
  }

  hangUp(): void {
    this.#line?.destroy();
  }
}

/** Ask an agent for its keys. Undefined when no agent answers there: a stale socket is no reason to stop. */
export function readAgentKeys(socket: string): Promise<AgentKeys | undefined> {
  return new Promise((resolve) => {
    const agent = new AskedAgent(socket);
    const timer = setTimeout(() => {
      resolve(undefined);
      agent.hangUp();
    }, LIST_TIMEOUT_MS);
    agent.getIdentities((error, found) => {
      clearTimeout(timer);
      resolve(error instanceof Error ? undefined : new AgentKeys(socket, (found ?? []).flatMap(parsed)));
    });
  });
}

type Identity = Parameters<Parameters<OpenSSHAgent['getIdentities']>[0]>[1] extends (infer Key)[] | undefined
  ? Key
  : never;

/** A key of a kind that ssh2 does not know, such as one on a security token, is left out. */
function parsed(found: Identity): ParsedKey[] {
  const key = ssh2.utils.parseKey(found as ParsedKey);
  return key instanceof Error ? [] : [key];
}
