/**
 * The user's keys: read and judged before any connection, so that a key that cannot work is one clear sentence and
 * not a refused login. The content of a key never leaves this file, except into ssh2.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import ssh2, { type ParsedKey } from 'ssh2';
import { fail } from '../errors.ts';
import { escapeLine } from '../process/escape.ts';
import { errnoOf } from '../process/files.ts';
import { type AgentKeys, readAgentKeys } from './agent.ts';
import type { IdentityFile, SshTarget } from './config.ts';

/** What a login may use. */
export interface Credentials {
  /** Keys read from files, in order. */
  readonly files: readonly { readonly path: string; readonly key: ParsedKey }[];
  /** The agent, cut down to the keys that may be offered. */
  readonly agent: AgentKeys | undefined;
  /** The names of what is offered, for messages. */
  readonly names: readonly string[];
}

type Identity =
  | { readonly state: 'usable'; readonly path: string; readonly key: ParsedKey; readonly publicKey: Buffer }
  | { readonly state: 'encrypted'; readonly path: string; readonly publicKey: Buffer | undefined }
  | { readonly state: 'public'; readonly path: string; readonly publicKey: Buffer }
  | { readonly state: 'missing'; readonly path: string; readonly reason: string }
  | { readonly state: 'unusable'; readonly path: string; readonly reason: string };

/**
 * Read the keys that a target may be offered. Throws KEY_UNREADABLE for a named key that cannot be used or when
 * there is none at all, KEY_ENCRYPTED when the only ones have passphrases and no agent holds them.
 */
export async function readCredentials(target: SshTarget): Promise<Credentials> {
  const [identities, agentKeys] = await Promise.all([
    Promise.all(target.identityFiles.map(readIdentity)),
    target.agent === undefined ? undefined : readAgentKeys(target.agent),
  ]);
  const named = identities.filter((_, index) => target.identityFiles[index]?.isNamed === true);
  for (const identity of named) requireUsable(identity, agentKeys);

  const publicKeys = identities.flatMap((identity) =>
    'publicKey' in identity && identity.publicKey !== undefined ? [identity.publicKey] : [],
  );
  const agent = target.identitiesOnly ? agentKeys?.only(publicKeys) : agentKeys?.first(publicKeys);
  const files = identities.flatMap((identity) =>
    identity.state === 'usable' && agent?.holds(identity.publicKey) !== true ? [identity] : [],
  );
  if (files.length === 0 && (agent === undefined || agent.names.length === 0)) throw explainNone(identities);
  const names = [...(agent?.names ?? []), ...files.map(({ path }) => basename(path))].map(escapeLine);
  return { files, agent: agent !== undefined && agent.names.length > 0 ? agent : undefined, names };
}

function requireUsable(identity: Identity, agentKeys: AgentKeys | undefined): void {
  const path = escapeLine(identity.path);
  const isInAgent = (key: Buffer | undefined): boolean => key !== undefined && agentKeys?.holds(key) === true;
  switch (identity.state) {
    case 'usable':
      return;
    case 'encrypted':
      if (!isInAgent(identity.publicKey)) throw fail('KEY_ENCRYPTED', { path });
      return;
    case 'public':
      if (isInAgent(identity.publicKey)) return;
      throw fail('KEY_UNREADABLE', {
        path,
        reason: 'it is a public key, and no agent holds its private key',
      });
    case 'missing':
    case 'unusable':
      throw fail('KEY_UNREADABLE', { path, reason: identity.reason });
  }
}

function explainNone(identities: readonly Identity[]): Error {
  const encrypted = identities.find((identity) => identity.state === 'encrypted');
  if (encrypted !== undefined) return fail('KEY_ENCRYPTED', { path: escapeLine(encrypted.path) });
  const unusable = identities.find((identity) => identity.state === 'unusable');
  if (unusable?.state === 'unusable') {
    return fail('KEY_UNREADABLE', { path: escapeLine(unusable.path), reason: unusable.reason });
  }
  const looked = identities.map((identity) => escapeLine(identity.path)).join(', ');
  return fail('KEY_UNREADABLE', {
    path: looked === '' ? 'for ssh' : looked,
    reason: 'there is none, and no agent holds one',
  });
}

const LARGEST_KEY = 64 * 1024;

async function readIdentity({ path }: IdentityFile): Promise<Identity> {
  const unusable = (reason: string): Identity => ({ state: 'unusable', path, reason });
  try {
    const found = await stat(path);
    if (found.isDirectory()) return unusable('it is a directory');
    if (!found.isFile()) return unusable('it is not a file');
    if (found.size > LARGEST_KEY) return unusable(`it is a file of ${found.size} bytes, not a key`);
    const content = await readFile(path);
    const identity = await parseIdentity(path, content);
    const mode = found.mode & 0o777;
    // The rule of OpenSSH: only for files of our own, since others' modes are not ours to change.
    if (isPrivate(identity) && found.uid === process.getuid?.() && (mode & 0o077) !== 0) {
      return unusable(`others can read it (mode ${mode.toString(8).padStart(4, '0')}); run chmod 600 on it`);
    }
    return identity;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { state: 'missing', path, reason: 'it does not exist' };
    return unusable(
      errnoOf(error) === 'EACCES'
        ? 'no permission to read it'
        : `it cannot be read (${errnoOf(error) ?? '?'})`,
    );
  }
}

const isPrivate = (identity: Identity): boolean =>
  identity.state === 'usable' || identity.state === 'encrypted';

async function parseIdentity(path: string, content: Buffer): Promise<Identity> {
  const unusable = (reason: string): Identity => ({ state: 'unusable', path, reason });
  const text = content.toString('latin1');
  if (isEncrypted(text)) {
    return { state: 'encrypted', path, publicKey: embeddedPublicKey(text) ?? (await publicKeyBeside(path)) };
  }
  const parsed = parseKey(content);
  if (parsed === undefined) {
    const isPkcs8 = text.includes('-----BEGIN PRIVATE KEY-----');
    return unusable(
      isPkcs8 ? 'its format (PKCS#8) is not supported; convert a copy with ssh-keygen -p' : 'it is not a key',
    );
  }
  if (parsed.type === 'ssh-dss') return unusable('it is a DSA key, which ssh servers no longer accept');
  const publicKey = parsed.getPublicSSH();
  return parsed.isPrivateKey()
    ? { state: 'usable', path, key: parsed, publicKey }
    : { state: 'public', path, publicKey };
}

function parseKey(content: Buffer): ParsedKey | undefined {
  const parsed: ParsedKey | ParsedKey[] | Error = ssh2.utils.parseKey(content);
  if (parsed instanceof Error) return undefined;
  return [parsed].flat()[0];
}

/** The body of an OpenSSH private key: a magic word, then length-prefixed fields, the first three of them plain. */
function openSshBody(text: string): Buffer | undefined {
  const match = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]*)-----END/.exec(text);
  const body = Buffer.from(match?.[1] ?? '', 'base64');
  const magic = 'openssh-key-v1\0';
  return body.subarray(0, magic.length).toString('latin1') === magic
    ? body.subarray(magic.length)
    : undefined;
}

function field(body: Buffer, index: number): Buffer | undefined {
  let at = 0;
  for (let skipped = 0; at + 4 <= body.length; skipped++) {
    const end = at + 4 + body.readUInt32BE(at);
    if (skipped === index) return end <= body.length ? body.subarray(at + 4, end) : undefined;
    at = end;
  }
  return undefined;
}

function isEncrypted(text: string): boolean {
  if (/^Proc-Type: 4,ENCRYPTED/m.test(text) || text.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----'))
    return true;
  const body = openSshBody(text);
  const cipher = body === undefined ? undefined : field(body, 0)?.toString('latin1');
  return cipher !== undefined && cipher !== 'none';
}

/** An encrypted OpenSSH key still tells its public half: cipher, kdf, kdf options, a count of 1, the public key. */
function embeddedPublicKey(text: string): Buffer | undefined {
  const body = openSshBody(text);
  if (body === undefined) return undefined;
  const plain = [0, 1, 2].reduce((sum, index) => sum + 4 + (field(body, index)?.length ?? 0), 0);
  return field(body.subarray(plain + 4), 0);
}

async function publicKeyBeside(path: string): Promise<Buffer | undefined> {
  const content = await readFile(`${path}.pub`).catch(() => undefined);
  return content === undefined ? undefined : parseKey(content)?.getPublicSSH();
}
