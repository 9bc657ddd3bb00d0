/**
 * The environment of this process as one typed value. It is read here, once, and handed on: no other code reads
 * variables, so that what a run depends on can be seen in one place.
 */
import { isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { fail } from '../errors.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What this program takes from its environment; absent variables and empty ones are the same. */
export interface Environment {
  /** HOME, or what the system says. */
  readonly home: string;
  readonly path: string;
  /** XDG_CACHE_HOME, or ~/.cache. */
  readonly cacheFolder: string;
  /** SSH_AUTH_SOCK */
  readonly sshAgent: string | undefined;
  /** TEMPORAL_ADDRESS, as `host:port`; not checked here, see `parseTemporalAddress`. */
  readonly temporalAddress: string | undefined;
  /** TEMPORAL_NAMESPACE */
  readonly temporalNamespace: string | undefined;
  /** UV_DEFAULT_INDEX, UV_INDEX_URL, PIP_INDEX_URL: the first that is set. */
  readonly packageIndex: string | undefined;
  /** npm_config_registry */
  readonly npmRegistry: string | undefined;
  /** NO_COLOR is set, or TERM is dumb. */
  readonly isPlain: boolean;
  /** CI is set: nobody can answer a question. */
  readonly isUnattended: boolean;
  /** All that begin with WINDLASS_, without that beginning. */
  readonly windlass: Readonly<Record<string, string>>;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** All variables as they are now, for programs that are started with them and for secrets that are named by variable. */
export function readVariables(): Variables {
  return Object.freeze({ ...process.env });
}

/** Read what this program itself takes from its environment. */
export function readEnvironment(variables: Variables = readVariables()): Environment {
  const get = (name: string): string | undefined => variables[name] || undefined;
  const home = get('HOME') ?? homedir();
  return Object.freeze({
    home,
    path: get('PATH') ?? '/usr/local/bin:/usr/bin:/bin',
    cacheFolder: get('XDG_CACHE_HOME') ?? `${home}/.cache`,
    sshAgent: get('SSH_AUTH_SOCK'),
    temporalAddress: get('TEMPORAL_ADDRESS'),
    temporalNamespace: get('TEMPORAL_NAMESPACE'),
    packageIndex: get('UV_DEFAULT_INDEX') ?? get('UV_INDEX_URL') ?? get('PIP_INDEX_URL'),
    npmRegistry: get('npm_config_registry'),
    isPlain: get('NO_COLOR') !== undefined || get('TERM') === 'dumb',
    isUnattended: get('CI') !== undefined,
    windlass: Object.freeze(ownVariables(variables)),
  });
}

const ownPrefix = 'WINDLASS_';

function ownVariables(variables: Variables): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) =>
      name.startsWith(ownPrefix) && value ? [[name.slice(ownPrefix.length), value]] : [],
    ),
  );
}

/** Read `host:port` or `[IPv6]:port`. Throws ADDRESS_INVALID for anything else, a URL too. */
export function parseTemporalAddress(text: string): Address {
  const address = readAddress(text);
  if (address === undefined) throw fail('ADDRESS_INVALID', { value: text });
  return address;
}

/** Is this text `host:port` or `[IPv6]:port`? */
export const isTemporalAddress = (text: string): boolean => readAddress(text) !== undefined;

function readAddress(text: string): Address | undefined {
  const [, inBrackets, name, digits = ''] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = inBrackets ?? name;
  const port = Number(digits);
  const isRight = host !== undefined && (inBrackets === undefined || isIPv6(inBrackets));
  return isRight && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}
