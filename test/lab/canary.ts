/** Planted secrets, and the search for them in texts and on hosts, in every encoding that a program uses. */
import { randomBytes } from 'node:crypto';
import type { Host } from './host.ts';

/** Every form of every piece of a secret, by the secret's name. */
export type Canaries = ReadonlyMap<string, readonly string[]>;

/**
 * Two random pieces, to be put together with what shells, JSON and Python escape between them. Whatever is done to such
 * a secret, a piece shows: as it is, or in base64 at one of three places in a group of bytes, or in hexadecimal.
 */
export const canaryPieces = () => [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')] as const;

const base64Of = (piece: string): string[] =>
  [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(piece)]).toString('base64');
    // The characters at the edges depend on the neighbours, too.
    return encoded.slice(offset === 0 ? 0 : 4, -4);
  });

/** All forms in which a piece may show. */
export const formsOf = (piece: string): string[] => [
  piece,
  ...base64Of(piece),
  Buffer.from(piece).toString('hex'),
];

/** Names of the secrets of which something stands in a text. */
export const canariesIn = (canaries: Canaries, text: string): string[] =>
  [...canaries].flatMap(([name, forms]) => (forms.some((form) => text.includes(form)) ? [name] : []));

/** Files below these folders of a host in which something of a secret stands. The patterns go in by standard input. */
export async function canariesBelow(
  canaries: Canaries,
  host: Host,
  folders: readonly string[],
  options: readonly string[] = [],
): Promise<string[]> {
  const argv = ['env', 'LC_ALL=C', 'grep', '-rlaF', '-D', 'skip', ...options, '-f', '-', '--', ...folders];
  const input = `${[...canaries.values()].flat().join('\n')}\n`;
  const { exitCode, stdout, stderr } = await host.exec(argv, { user: 'root', input, reject: false });
  // 1: nothing was found. 2 with findings or messages about what vanished meanwhile: the findings count.
  if (exitCode === 2 && !/No such file|binary|Permission/.test(stderr)) throw new Error(stderr);
  return stdout.split('\n').filter(Boolean).toSorted();
}
