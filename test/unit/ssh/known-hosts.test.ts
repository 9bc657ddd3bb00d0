/** Looking up a host in known_hosts, with `ssh-keygen -F` of OpenSSH as the judge of what a file knows. */
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { isHostKeyPin, keysFor, parseKnownHosts } from '../../../src/ssh/known-hosts.ts';
import { newKey } from '../../support/sshd-in-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'windlass-known-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const key = newKey().public;
const other = newKey().public;
const hashed = (name: string): string => {
  const salt = Buffer.alloc(20, 7);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};
const found = (text: string, host: string, port = 22) => keysFor(parseKnownHosts(text), { host, port });

test.each([
  ['spark', 'spark', true],
  ['spark', 'SPARK', true],
  ['Spark', 'spark', true],
  ['spark', 'spark2', false],
  ['a,spark,b', 'spark', true],
  ['10.0.0.*', '10.0.0.22', true],
  ['10.0.0.?', '10.0.0.22', false],
  ['10.0.0.2?', '10.0.0.22', true],
  ['*,!spark', 'spark', false],
  ['*,!spark', 'thor', true],
  ['!spark', 'thor', false],
  ['[spark]:2222', 'spark', false],
  ['[spark]:2222', '[spark]:2222', true],
  [hashed('spark'), 'spark', true],
  [hashed('spark'), 'thor', false],
  [hashed('[spark]:2222'), '[spark]:2222', true],
  ['*', '[spark]:2222', true],
])('%s knows %s: %s, and ssh-keygen says the same', (hosts, name, isKnown) => {
  const text = `${hosts} ${key} a comment\n`;
  const [, host = name, port = '22'] = /^\[(.*)\]:(\d+)$/.exec(name) ?? [];
  expect(found(text, host, Number(port)).accepted).toHaveLength(isKnown ? 1 : 0);
  const file = join(folder, 'known_hosts');
  writeFileSync(file, text);
  const ask = (): string => execFileSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8' });
  if (isKnown) expect(ask()).toContain(key);
  else expect(ask).toThrow();
});

test('an entry without a port also vouches for other ports, but not beside one with the port', () => {
  const plain = `spark ${key}\n`;
  expect(found(plain, 'spark', 2222).accepted).toHaveLength(1);
  const both = found(`${plain}[spark]:2222 ${other}\n`, 'spark', 2222).accepted;
  expect(both.map((entry) => entry.place)).toEqual(['known_hosts:2']);
});

test('an alias is the only name that counts', () => {
  const entries = parseKnownHosts(`alias ${key}\nspark ${other}\n`);
  const { accepted } = keysFor(entries, { host: 'spark', port: 2222, hostKeyAlias: 'Alias' });
  expect(accepted.map((entry) => entry.place)).toEqual(['known_hosts:1']);
});

test('lines that OpenSSH would skip are skipped, and lines are counted as an editor counts them', () => {
  const text = [
    '# a comment',
    '',
    'spark',
    `spark ssh-rsa ${key.split(' ')[1]}`,
    'spark ssh-ed25519 !!!!',
    `@cert-authority spark ${key}`,
    `@unheard spark ${key}`,
    `  spark\t${key}\r`,
    `@revoked spark ${other}`,
  ].join('\n');
  const { accepted, revoked } = found(text, 'spark');
  expect([accepted.map(({ place }) => place), revoked.map(({ place }) => place)]).toEqual([
    ['known_hosts:8'],
    ['known_hosts:9'],
  ]);
});

test('a hostile pattern costs nothing', () => {
  const started = performance.now();
  expect(found(`${'*a'.repeat(2_000)} ${key}`, 'a'.repeat(250)).accepted).toEqual([]);
  expect(performance.now() - started).toBeLessThan(2_000);
});

test.each([
  [`SHA256:${'A'.repeat(43)}`, true],
  [`SHA256:${'A'.repeat(42)}`, false],
  [`SHA256:${'A'.repeat(43)}=`, false],
  [`sha256:${'A'.repeat(43)}`, false],
  [`SHA256:${'A'.repeat(43)}\n`, false],
  ['MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48', false],
])('%j is a pin: %s', (pin, isPin) => {
  expect(isHostKeyPin(pin)).toBe(isPin);
});
