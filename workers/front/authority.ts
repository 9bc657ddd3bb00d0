/**
 * The certificate authority of one cluster, a folder on the head: it makes the front's own certificate and one for
 * each node. Its key never leaves the folder, and no certificate of another authority is ever accepted.
 */
import { createPublicKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { isGoodCertificate } from '../../src/placing/certificates.ts';
import { errnoOf, writeFileAtomic } from '../../src/process/files.ts';

export interface Issued {
  /** PEM of the authority's certificate. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** ISO 8601. */
  readonly notAfter: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
// Machines without a battery for their clock start in the past.
const BACKDATED_MS = 2 * DAY_MS;

x509.cryptoProvider.set(webcrypto);

/** Make the authority if there is none; `changed` says whether it did. */
export async function ensureAuthority(folder: string): Promise<{ readonly changed: boolean }> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  if ((await readText(join(folder, 'ca.crt'))) !== undefined) return { changed: false };
  const keys = await newKeys();
  const name = `CN=windlass ${randomBytes(4).toString('hex')}`;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(AUTHORITY_DAYS),
    serialNumber: serialNumber(),
    name,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  // The certificate last: an authority is there when its certificate is.
  await writeFileAtomic(join(folder, 'ca.key'), await privatePem(keys.privateKey), { mode: 0o600 });
  await writeFileAtomic(join(folder, 'ca.crt'), `${certificate.toString('pem')}\n`, { mode: 0o600 });
  return { changed: true };
}

/** Make a certificate by which a node is known to the front: its common name is the node id. Nothing is stored. */
export async function issueForNode(folder: string, node: string, days: number): Promise<Issued> {
  return issue(folder, {
    name: node,
    days,
    usage: x509.ExtendedKeyUsage.clientAuth,
    names: [new x509.GeneralName('dns', node)],
  });
}

/** Make the front's certificate for its address, unless a good one is there already. */
export async function ensureServer(
  folder: string,
  address: string,
): Promise<{ readonly changed: boolean; readonly notAfter: string }> {
  const ca = await required(join(folder, 'ca.crt'));
  const present = await readText(join(folder, 'server.crt'));
  const key = await readText(join(folder, 'server.key'));
  if (present !== undefined && key !== undefined && isGoodCertificate(present, ca, address)) {
    return { changed: false, notAfter: notAfterOf(present) };
  }
  const made = await issue(folder, {
    name: 'windlass front',
    days: AUTHORITY_DAYS / 2,
    usage: x509.ExtendedKeyUsage.serverAuth,
    names: [new x509.GeneralName('ip', address)],
    // Tasks under way are sealed by this key: with another none of them could be answered any more.
    ...(key !== undefined && { keys: await keysOf(key).catch(() => newKeys()) }),
  });
  await writeFileAtomic(join(folder, 'server.key'), made.key, { mode: 0o600 });
  await writeFileAtomic(join(folder, 'server.crt'), made.certificate, { mode: 0o600 });
  return { changed: true, notAfter: made.notAfter };
}

interface Request {
  readonly name: string;
  readonly days: number;
  readonly usage: x509.ExtendedKeyUsage;
  readonly names: readonly x509.GeneralName[];
  /** New ones unless given. */
  readonly keys?: webcrypto.CryptoKeyPair;
}

async function issue(folder: string, { name, days, usage, names, keys: given }: Request): Promise<Issued> {
  const ca = await required(join(folder, 'ca.crt'));
  const issuer = new x509.X509Certificate(ca);
  const keys = given ?? (await newKeys());
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(days),
    serialNumber: serialNumber(),
    subject: [{ CN: [name] }],
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await readSigningKey(folder),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      new x509.SubjectAlternativeNameExtension([...names]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return {
    ca,
    certificate: `${certificate.toString('pem')}\n`,
    key: await privatePem(keys.privateKey),
    notAfter: certificate.notAfter.toISOString(),
  };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** The key pair of a private key in PEM. */
async function keysOf(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const { subtle } = webcrypto;
  const [pkcs8] = x509.PemConverter.decode(pem);
  if (!pkcs8) throw new Error('there is no key in it');
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  return {
    privateKey: await subtle.importKey('pkcs8', pkcs8, ALGORITHM, true, ['sign']),
    publicKey: await subtle.importKey('spki', spki, ALGORITHM, true, ['verify']),
  };
}

function validity(days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return {
    notBefore: new Date(Date.now() - BACKDATED_MS),
    notAfter: new Date(Date.now() + days * DAY_MS),
  };
}

/** 16 random bytes, the first bit clear: a serial number is a positive number. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', key);
  return `${x509.PemConverter.encode(der, 'PRIVATE KEY')}\n`;
}

async function readSigningKey(folder: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(await required(join(folder, 'ca.key')));
  if (!der) throw new Error(`${folder}/ca.key holds no key`);
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}

const notAfterOf = (pem: string): string => new Date(new X509Certificate(pem).validTo).toISOString();

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function required(path: string): Promise<string> {
  const text = await readText(path);
  if (text === undefined) throw new Error(`${path} is missing; run init first`);
  return text;
}
