/**
 * Where and how a node is reached over ssh, as the operator's own OpenSSH would do it: the answer of `ssh -G`, with
 * what the cluster file says on top. Nothing is connected to here.
 */
import { userInfo } from 'node:os';
import { fail } from '../errors.ts';
import { escapeLine } from '../process/escape.ts';
import type { Environment } from '../process/environment.ts';
import { run } from '../process/run.ts';

export interface IdentityFile {
  readonly path: string;
  /** Named by the cluster file: it must be usable. Otherwise it is one of those that ssh would try. */
  readonly isNamed: boolean;
}

export interface SshTarget {
  /** The name that was asked for, for messages. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly IdentityFile[];
  /** Only keys named in the configuration are offered, also from the agent. */
  readonly identitiesOnly: boolean;
  /** Socket of the ssh agent. */
  readonly agent?: string;
  readonly knownHostsFiles: readonly string[];
  /** The name under which known_hosts holds this host's key. */
  readonly hostKeyAlias?: string;
  /** Hosts to go through, in order. */
  readonly jumps: readonly SshTarget[];
}

export interface SshOverrides {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly identityFile?: string;
}

export interface ResolveOptions {
  readonly env: Environment;
  /** Read this instead of the user's and the system's ssh configuration. */
  readonly configFile?: string;
}

const MOST_JUMPS = 8;
// `ssh -G` contacts nobody, but `Match exec` in a configuration may run anything.
const SSH_G_TIMEOUT_MS = 10_000;
const MOST_REASONS = 4;

/** Ask ssh how it would reach a host. Throws SSH_CONFIG with ssh's own words, USAGE for a host or user that is an option. */
export async function resolveSshTarget(
  name: string,
  overrides: SshOverrides = {},
  options: ResolveOptions,
): Promise<SshTarget> {
  return resolve(name, overrides, options, []);
}

async function resolve(
  name: string,
  overrides: SshOverrides,
  options: ResolveOptions,
  via: readonly string[],
): Promise<SshTarget> {
  const asked = overrides.host ?? name;
  refuseOption('host', asked);
  if (overrides.user !== undefined) refuseOption('user', overrides.user);
  if (via.length > MOST_JUMPS) {
    throw fail('SSH_CONFIG', {
      host: escapeLine(asked),
      reason: `more than ${MOST_JUMPS} jumps (${via.join(' → ')})`,
    });
  }
  const settings = await readSettings(asked, overrides, options);
  if (settings.one('proxycommand') !== undefined) {
    throw fail('SSH_CONFIG', {
      host: escapeLine(asked),
      reason: 'ProxyCommand is not supported; use ProxyJump',
    });
  }
  const host = settings.one('hostname') ?? asked;
  const user = settings.one('user') ?? userInfo().username;
  refuseOption('host', host);
  refuseOption('user', user);
  const port = Number(settings.one('port') ?? 22);
  const expand = expander({ host, user, port, name: asked, home: userInfo().homedir }, options.env);
  const agent = agentSocket(settings.all('identityagent')[0], options.env, expand);
  const hostKeyAlias = settings.one('hostkeyalias');
  const jumps = await resolveJumps(settings.one('proxyjump'), options, [...via, asked]);
  return {
    name,
    host,
    port,
    user,
    identityFiles: identityFiles(
      settings.all('identityfile').filter((path) => path !== 'none'),
      overrides.identityFile,
      expand,
    ),
    identitiesOnly: overrides.identityFile !== undefined || settings.one('identitiesonly') === 'yes',
    ...(agent !== undefined && { agent }),
    knownHostsFiles: ['userknownhostsfile', 'globalknownhostsfile']
      .flatMap((key) => (settings.one(key) ?? '').split(' '))
      .filter((path) => path !== '' && path !== 'none' && path !== '/dev/null')
      .map(expand),
    ...(hostKeyAlias !== undefined && { hostKeyAlias }),
    jumps,
  };
}

interface Settings {
  one(key: string): string | undefined;
  all(key: string): string[];
}

async function readSettings(
  host: string,
  overrides: SshOverrides,
  options: ResolveOptions,
): Promise<Settings> {
  const args = [
    '-G',
    ...(options.configFile === undefined ? [] : ['-F', options.configFile]),
    ...(overrides.port === undefined ? [] : ['-p', String(overrides.port)]),
    ...(overrides.user === undefined ? [] : ['-l', overrides.user]),
    '--',
    host,
  ];
  const env = Object.fromEntries(
    Object.entries(options.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const result = await run({ file: 'ssh', args, env }, { inheritEnv: false, timeoutMs: SSH_G_TIMEOUT_MS });
  if (result.exitCode !== 0) {
    // One line each for what is wrong and where, then a last line that counts them.
    const said = result.stderr.trim().split('\n').slice(0, MOST_REASONS).join('; ');
    const missing = 'the ssh client is not installed on this machine';
    const reason =
      result.startFailure === 'ENOENT'
        ? missing
        : result.timedOut
          ? 'no answer within 10 s'
          : said || `it ended with ${result.signal ?? `exit code ${result.exitCode ?? '?'}`}`;
    throw fail('SSH_CONFIG', { host: escapeLine(host), reason: escapeLine(reason) });
  }
  return parseSettings(result.stdout);
}

/** Parse the answer of `ssh -G`: one setting a line, the key in lower case, keys that may come more than once. */
function parseSettings(text: string): Settings {
  const pairs = text.split('\n').flatMap((line) => {
    const space = line.indexOf(' ');
    return space === -1 ? [] : [[line.slice(0, space), line.slice(space + 1).trim()] as const];
  });
  const all = (key: string): string[] => pairs.filter(([name]) => name === key).map(([, value]) => value);
  return { all, one: (key) => all(key).find((value) => value !== 'none') };
}

async function resolveJumps(
  setting: string | undefined,
  options: ResolveOptions,
  via: readonly string[],
): Promise<SshTarget[]> {
  const specs = (setting ?? '').split(',').filter((spec) => spec !== '');
  const hops = await Promise.all(specs.map((spec) => resolveJump(spec, options, via)));
  // As with ssh -J: only the first hop's own jumps are taken, the others are reached through the hop before.
  return hops.flatMap((hop, index) =>
    index === 0 ? [...hop.jumps, withoutJumps(hop)] : [withoutJumps(hop)],
  );
}

const withoutJumps = (target: SshTarget): SshTarget => ({ ...target, jumps: [] });

async function resolveJump(
  spec: string,
  options: ResolveOptions,
  via: readonly string[],
): Promise<SshTarget> {
  const match =
    /^(?:ssh:\/\/)?(?:(?<user>[^@]+)@)?(?:\[(?<literal>[^\]]+)\]|(?<host>[^:]+))(?::(?<port>\d+))?\/?$/.exec(
      spec,
    );
  const host = match?.groups?.['literal'] ?? match?.groups?.['host'];
  if (host === undefined) {
    throw fail('SSH_CONFIG', {
      host: escapeLine(via.at(-1) ?? ''),
      reason: `ProxyJump ${escapeLine(spec)} is not a host`,
    });
  }
  const { user, port } = match?.groups ?? {};
  const overrides = {
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port: Number(port) }),
  };
  return resolve(host, overrides, options, via);
}

function identityFiles(
  configured: readonly string[],
  named: string | undefined,
  expand: (path: string) => string,
): IdentityFile[] {
  if (named !== undefined) return [{ path: expand(named), isNamed: true }];
  return configured.map((path) => ({ path: expand(path), isNamed: false }));
}

function agentSocket(
  setting: string | undefined,
  env: Environment,
  expand: (path: string) => string,
): string | undefined {
  // `ssh -G` leaves the line out when nothing is configured, and says "none" when there shall be no agent.
  if (setting === 'none') return undefined;
  if (setting === undefined || setting === 'SSH_AUTH_SOCK') return env['SSH_AUTH_SOCK'];
  return setting.startsWith('$') ? env[setting.replace(/^\$\{?|\}$/g, '')] : expand(setting);
}

interface Tokens {
  readonly host: string;
  readonly user: string;
  readonly port: number;
  readonly name: string;
  readonly home: string;
}

/**
 * `ssh -G` leaves ~, the %-tokens and the ${variables} of a path as they were written. Like ssh, ~ is the home of the
 * account, not $HOME.
 */
function expander({ host, user, port, name, home }: Tokens, env: Environment): (path: string) => string {
  const tokens: Record<string, string> = {
    '%%': '%',
    '%d': home,
    '%h': host,
    '%n': name,
    '%p': String(port),
    '%r': user,
    '%u': userInfo().username,
    '%i': String(userInfo().uid),
  };
  return (path) =>
    path
      .replace(/^"(.*)"$/, '$1')
      .replace(/^~(?=\/|$)/, home)
      .replace(/\$\{(\w+)\}/g, (written, variable: string) => env[variable] ?? written)
      .replace(/%./g, (token) => tokens[token] ?? token);
}

/** A host or user that starts with a dash would be read as an option by ssh. */
function refuseOption(what: 'host' | 'user', value: string): void {
  if (value === '' || value.startsWith('-') || /[\s\0]/.test(value)) {
    throw fail('USAGE', { message: `${escapeLine(value) || 'an empty text'} is not an ssh ${what}` });
  }
}
