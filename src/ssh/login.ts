/**
 * One attempt to log in: the host proves its key, then the user proves theirs. Whatever goes wrong becomes one of
 * our codes, by what happened and in which phase, never by the text of a message.
 */
import ssh2, {
  type AnyAuthMethod,
  type AuthenticationType,
  type Client,
  type ClientErrorExtensions,
} from 'ssh2';
import { type WindlassError, fail } from '../errors.ts';
import { escapeBytes, escapeLine } from '../process/escape.ts';
import { errnoOf } from '../process/files.ts';
import type { SshTarget } from './config.ts';
import type { Credentials } from './keys.ts';
import {
  type HostKeyVerdict,
  type KnownHost,
  hostKeyAlgorithms,
  judgeHostKey,
  keyType,
} from './known-hosts.ts';
import { KEEPALIVE_MS, type Transport } from './transport.ts';

export interface LoginRequest {
  readonly target: SshTarget;
  readonly credentials: Credentials;
  readonly pins: readonly string[];
  readonly knownHosts: readonly KnownHost[];
  readonly transport: Transport;
  readonly timeoutMs: number;
}

export interface Login {
  readonly client: Client;
  /** Fingerprint of the key that the host proved. */
  readonly hostKey: string;
}

/** What an attempt has come to know, for the message if it fails. */
interface Progress {
  phase: 'connecting' | 'handshake' | 'authentication';
  hostKey: HostKeyVerdict | undefined;
  keyType: string;
  serverMethods: readonly string[];
}

type ClientError = Error & ClientErrorExtensions;

/** Log in, or throw SSH_… by what went wrong. On failure the line is closed. */
export function login(request: LoginRequest): Promise<Login> {
  const { target, pins, knownHosts, transport, timeoutMs } = request;
  const client = new ssh2.Client();
  const progress: Progress = { phase: 'connecting', hostKey: undefined, keyType: '', serverMethods: [] };
  return new Promise((resolve, reject) => {
    const giveUp = (error: ClientError | undefined): void => {
      reject(explain(error, progress, request));
      client.destroy();
    };
    client.on('error', (error: ClientError) => {
      // A key that the agent will not sign with; ssh2 goes on to the next one.
      if (error.level !== 'agent') giveUp(error);
    });
    client.on('close', () => {
      giveUp(undefined);
    });
    client.once('connect', () => (progress.phase = 'handshake'));
    client.once('handshake', () => (progress.phase = 'authentication'));
    client.once('ready', () => {
      resolve({ client, hostKey: progress.hostKey?.offered ?? '' });
    });
    try {
      client.connect({
        sock: transport.stream,
        username: target.user,
        readyTimeout: timeoutMs,
        keepaliveInterval: KEEPALIVE_MS,
        // Silence is judged by watchSilence; ssh2 only asks.
        keepaliveCountMax: Number.MAX_SAFE_INTEGER,
        algorithms: { serverHostKey: hostKeyAlgorithms(pins, knownHosts, target) },
        hostVerifier: (key: Buffer): boolean => {
          progress.hostKey = judgeHostKey(key, pins, knownHosts, target);
          progress.keyType = keyType(key);
          return progress.hostKey.verdict === 'known';
        },
        authHandler: authentication(request, progress),
      });
    } catch (error) {
      giveUp(error as ClientError);
    }
  });
}

/** Offer the agent's keys, then the files', each once. Passwords and questions are never offered. */
function authentication({ target, credentials }: LoginRequest, progress: Progress) {
  const username = target.user;
  const methods: AnyAuthMethod[] = [
    ...(credentials.agent === undefined
      ? []
      : [{ type: 'agent' as const, username, agent: credentials.agent }]),
    ...credentials.files.map(({ key }) => ({ type: 'publickey' as const, username, key })),
  ];
  return (
    methodsLeft: AuthenticationType[] | null,
    _partial: unknown,
    next: (method: AnyAuthMethod) => void,
  ): void => {
    if (methodsLeft !== null) progress.serverMethods = methodsLeft;
    // ssh2 ends the attempt on `false`, which its types do not know.
    next(methods.shift() ?? (false as unknown as AnyAuthMethod));
  };
}

// What sshd says instead of its version when it does not want the connection now.
const SSHD_BUSY = ['Exceeded MaxStartups', 'Not allowed at this time'];

const UNREACHABLE = new Set([
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPERM',
]);
const UNRESOLVED = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME']);

function explain(error: ClientError | undefined, progress: Progress, request: LoginRequest): WindlassError {
  const { target, transport, timeoutMs } = request;
  const where = { host: escapeLine(target.host), port: target.port };
  const refusedKey = progress.hostKey === undefined ? undefined : explainHostKey(progress, where);
  if (refusedKey !== undefined) return refusedKey;

  const said = transport.firstBytes();
  if (said.length > 0 && !said.toString('latin1').includes('SSH-')) {
    const isBusy = SSHD_BUSY.some((words) => said.toString('latin1').startsWith(words));
    if (isBusy)
      return fail('SSH_LOST', { ...where, during: `at once; sshd said ${escapeBytes(said)}` }, error);
    return fail('SSH_NOT_SSH', { ...where, said: escapeBytes(said) }, error);
  }
  const errno = errnoOf(error);
  if (errno === 'ECONNREFUSED') return fail('SSH_REFUSED', where, error);
  if (errno !== undefined && UNRESOLVED.has(errno)) return fail('SSH_DNS', where, error);
  if (errno !== undefined && UNREACHABLE.has(errno))
    return fail('SSH_UNREACHABLE', { ...where, reason: errno }, error);
  if (error?.level === 'client-timeout' || errno === 'ETIMEDOUT') {
    return fail(
      'SSH_TIMEOUT',
      { ...where, seconds: Math.round(timeoutMs / 100) / 10, phase: progress.phase },
      error,
    );
  }
  // A disconnect message of the server carries a number as its code: it is an answer, not an accident.
  const isAnswer = typeof (error as { code?: unknown } | undefined)?.code === 'number';
  if (error?.level === 'client-authentication' || (progress.phase === 'authentication' && isAnswer)) {
    return fail(
      'SSH_AUTH',
      {
        ...where,
        user: escapeLine(target.user),
        tried: tried(request, progress, isAnswer ? error : undefined),
      },
      error,
    );
  }
  if (error?.level === 'handshake') {
    return fail('SSH_UNREACHABLE', { ...where, reason: escapeLine(error.message) }, error);
  }
  const evidence = errno ?? (isAnswer ? escapeLine(error?.message ?? '') : undefined);
  const phase = progress.phase === 'authentication' ? 'the login' : 'the handshake';
  return fail(
    'SSH_LOST',
    { ...where, during: `during ${phase}${evidence === undefined ? '' : ` (${evidence})`}` },
    error,
  );
}

function explainHostKey(
  { hostKey, keyType: type }: Progress,
  where: { host: string },
): WindlassError | undefined {
  if (hostKey === undefined || hostKey.verdict === 'known') return undefined;
  const offered = `${hostKey.offered} (${type})`;
  if (hostKey.verdict !== 'changed') return fail('SSH_HOST_KEY_UNKNOWN', { ...where, offered });
  const expected = hostKey.expected.map(escapeLine).join(' or ');
  return fail('SSH_HOST_KEY_CHANGED', { ...where, expected, offered });
}

function tried(request: LoginRequest, progress: Progress, answer: Error | undefined): string {
  const parts = [`tried publickey with ${request.credentials.names.join(', ')}`];
  if (progress.serverMethods.length > 0) {
    parts.push(`the server takes ${progress.serverMethods.map(escapeLine).join(', ')}`);
  }
  if (answer !== undefined) parts.push(`it said ${escapeLine(answer.message)}`);
  return parts.join('; ');
}
