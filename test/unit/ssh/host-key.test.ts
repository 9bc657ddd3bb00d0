/** Is it the host that it claims to be? Before that is proved no key is offered to it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { escapeLine } from '../../../src/process/escape.ts';
import type { SshTarget } from '../../../src/ssh/config.ts';
import { connect } from '../../../src/ssh/connection.ts';
import { fingerprint } from '../../../src/ssh/known-hosts.ts';
import {
  type KeyPair,
  type SshdInProcess,
  newKey,
  startSshdInProcess,
} from '../../support/sshd-in-process.ts';

let sshd: SshdInProcess | undefined;
afterEach(async () => {
  await sshd?.stop();
});

const ed25519 = newKey();
const rsa = newKey('rsa');
const other = newKey();
const printOf = (key: KeyPair): string => fingerprint(Buffer.from(key.public.split(' ')[1] ?? '', 'base64'));

/** A server with these host keys, and a target whose known_hosts holds these lines. */
async function server(
  hostKeys: readonly KeyPair[],
  knownHosts: (name: string) => readonly string[],
): Promise<{ sshd: SshdInProcess; target: SshTarget; file: string }> {
  sshd = await startSshdInProcess({ hostKeys });
  const file = join(sshd.folder, 'my_known_hosts');
  await writeFile(file, knownHosts(`[127.0.0.1]:${sshd.port}`).join('\n'));
  return { sshd, file, target: await sshd.target({ knownHostsFiles: [file] }) };
}

async function hostKeyOf(target: SshTarget, pins: readonly string[] = []): Promise<string> {
  const connection = await connect(target, { hostKeyPins: pins });
  connection.close();
  return connection.hostKey;
}

test('a known key is accepted', async () => {
  const { target } = await server([ed25519], (name) => [`${name} ${ed25519.public}`]);
  expect(await hostKeyOf(target)).toBe(printOf(ed25519));
});

test('of several keys, the one that is known is asked for', async () => {
  const { target } = await server([ed25519, rsa], (name) => [`${name} ${rsa.public}`]);
  expect(await hostKeyOf(target)).toBe(printOf(rsa));
});

test('an unknown key is a question for a person, with the fingerprint to compare and where to put it', async () => {
  const { sshd: stranger, target } = await server([ed25519], () => [`elsewhere ${ed25519.public}`]);
  await expect(connect(target)).rejects.toMatchObject({
    code: 'SSH_HOST_KEY_UNKNOWN',
    exitCode: 5,
    message: expect.stringContaining(`127.0.0.1 offered ${printOf(ed25519)} (ssh-ed25519)`),
    advice: expect.stringMatching(/connect once with ssh.*ssh\.hostKey/),
  });
  expect(stranger.seen).toMatchObject({ connections: 1, offers: 0 });
});

test('a changed key tells the line of known_hosts that speaks against it, and is offered no login', async () => {
  const {
    sshd: impostor,
    target,
    file,
  } = await server([ed25519], (name) => [
    '# my machines',
    `elsewhere ${ed25519.public}`,
    `${name} ${other.public}`,
  ]);
  await expect(connect(target)).rejects.toMatchObject({
    code: 'SSH_HOST_KEY_CHANGED',
    exitCode: 5,
    message: expect.stringContaining(
      `expected ${printOf(other)} (${file}:3), the host offered ${printOf(ed25519)}`,
    ),
    advice: expect.stringMatching(/reinstalled.*Nothing was sent.*ssh\.hostKey/),
  });
  expect(impostor.seen).toMatchObject({ connections: 1, offers: 0 });
});

test('a key of another type than the known one is a change, too', async () => {
  const { target, file } = await server([ed25519], (name) => [`${name} ${rsa.public}`]);
  await expect(connect(target)).rejects.toMatchObject({
    code: 'SSH_HOST_KEY_CHANGED',
    data: { expected: `${printOf(rsa)} (${file}:1)`, offered: `${printOf(ed25519)} (ssh-ed25519)` },
  });
});

test('a revoked key is refused although another line knows it, with the line that revokes it', async () => {
  const { target, file } = await server([ed25519], (name) => [
    `${name} ${ed25519.public}`,
    `@revoked * ${ed25519.public}`,
  ]);
  await expect(connect(target)).rejects.toMatchObject({
    code: 'SSH_HOST_KEY_CHANGED',
    data: { expected: `a key that is not revoked (${file}:2)` },
  });
});

test('a pin stands above known_hosts, in both directions', async () => {
  const { sshd: pinned, target } = await server([ed25519], (name) => [`${name} ${ed25519.public}`]);
  await expect(connect(target, { hostKeyPins: [printOf(other)] })).rejects.toMatchObject({
    code: 'SSH_HOST_KEY_CHANGED',
    data: { expected: printOf(other), offered: `${printOf(ed25519)} (ssh-ed25519)` },
  });
  expect(pinned.seen.offers).toBe(0);
  const unknown = await pinned.target({ known: false });
  expect(await hostKeyOf(unknown, [printOf(other), printOf(ed25519)])).toBe(printOf(ed25519));
});

test('a pin of a key that known_hosts holds is asked for by its type', async () => {
  const { target } = await server([ed25519, rsa], (name) => [
    `${name} ${rsa.public}`,
    `${name} ${other.public}`,
  ]);
  expect(await hostKeyOf(target, [printOf(rsa)])).toBe(printOf(rsa));
});

test.each([
  ['the form of MD5', 'MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48'],
  ['one character short', `SHA256:${'A'.repeat(42)}`],
  ['a whole key', ed25519.public],
  ['with a control character', `SHA256:${'A'.repeat(42)}\u001B`],
])('a pin that is none (%s) is told before anything is connected', async (_, pin) => {
  const { sshd: spared, target } = await server([ed25519], (name) => [`${name} ${ed25519.public}`]);
  await expect(connect(target, { hostKeyPins: [pin] })).rejects.toMatchObject({
    code: 'USAGE',
    message: `the host key pin ${escapeLine(pin)} of loopback does not look like SHA256:… (43 characters)`,
  });
  expect(spared.seen.connections).toBe(0);
});

test('a known_hosts file that is not there knows nobody', async () => {
  sshd = await startSshdInProcess();
  const target = await sshd.target({ knownHostsFiles: [join(sshd.folder, 'none')] });
  await expect(connect(target)).rejects.toMatchObject({ code: 'SSH_HOST_KEY_UNKNOWN' });
});
