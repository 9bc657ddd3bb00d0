/** One look at a node, in one command over ssh: what of windlass stands there. Placing decides by it. */
import { certificatePaths, layoutOf, standingUnits } from '../cluster/layout.ts';
import { NodeIdentity } from '../cluster/state.ts';
import type { ClusterFile, NodeEntry } from '../config/schema.ts';
import { secretNames } from '../config/schema.ts';
import { fail } from '../errors.ts';
import type { SshConnection } from '../ssh/connection.ts';
import { execScript, requireSuccess } from '../ssh/exec.ts';
import { readScript } from './script-files.ts';

export interface Look {
  /** The user's home folder there, and windlass's root; both absolute. */
  readonly home: string;
  readonly root: string;
  /** As `uname -m` says. */
  readonly machine: string;
  /** As getconf says: `glibc 2.36`; empty for another C library. */
  readonly libc: string;
  /** The minted id; null before the first placing. */
  readonly id: string | null;
  /** Version of the payload in use. */
  readonly payload: string | null;
  /** A placing was cut off before its units were started again: they may run with settings of before. */
  readonly isActivating: boolean;
  /** What the file system of the home has free for this user, in bytes; null where there is no home. */
  readonly homeFreeBytes: number | null;
  /** Standing units that are active, and for how many milliseconds. */
  readonly active: ReadonlyMap<string, number>;
  /** The sha256 of each file that placing writes, by its absolute path, and its mode, as `600`. */
  readonly contents: ReadonlyMap<string, string>;
  readonly modes: ReadonlyMap<string, string>;
  /** PEM texts, by path below the root. */
  readonly certificates: ReadonlyMap<string, string>;
}

export interface LookedNode {
  readonly entry: NodeEntry;
  readonly connection: SshConnection;
  readonly look: Look;
}

const units = Object.values(standingUnits);

/** Where the units of a user lie. */
export const unitFolder = (home: string): string => `${home}/.config/systemd/user`;

/** Look at a node. Throws SSH_LOST, REMOTE_COMMAND, or FACT_UNREADABLE for an answer of another form. */
export async function lookAt(file: ClusterFile, connection: SshConnection): Promise<Look> {
  const args = [
    file.root,
    units.join(','),
    Object.values(certificatePaths).join(','),
    ...filesUnder(file.root, unitFolder('~')),
  ];
  const result = await execScript(connection, await readScript('look'), args);
  return parseLook(requireSuccess(connection, 'look.sh', result).stdout);
}

/** Every file that placing may write beside the payload. */
function filesUnder(root: string, unitsAt: string): string[] {
  const layout = layoutOf(root);
  return [
    `${layout.home}/control-worker.json`,
    `${layout.home}/front.json`,
    `${layout.home}/ca/server.key`,
    `${root}/node-worker.json`,
    `${layout.certificates}/ca.crt`,
    `${layout.certificates}/node.key`,
    ...['rayToken', ...secretNames].map((name) => `${layout.secrets}/${name}`),
    ...units.map((unit) => `${unitsAt}/${unit}`),
  ];
}

/** Read the answer of look.sh. Throws FACT_UNREADABLE. */
export function parseLook(answer: string): Look {
  const [lines = '', ...certificates] = answer.split(/^certificate (?=\/)/m);
  const rest = (word: string): string | undefined =>
    new RegExp(`^${word} (.*)$`, 'm').exec(lines)?.[1]?.trim();
  const [home, root, machine] = ['home', 'root', 'machine'].map(rest);
  if (home === undefined || root === undefined || machine === undefined) {
    throw fail('FACT_UNREADABLE', { fact: 'what stands there', answer: answer.slice(-300) });
  }
  return {
    home,
    root,
    machine,
    libc: rest('libc') ?? '',
    id: identityOf(rest('identity')),
    payload: rest('payload') ?? null,
    isActivating: rest('activating') !== undefined,
    homeFreeBytes: freeBytes(rest('room')),
    active: activeUnits(lines, Number(rest('uptime'))),
    contents: pairs(lines, /^([0-9a-f]{64}) {2}(\/.*)$/gm),
    modes: pairs(lines, /^mode ([0-7]+) (\/.*)$/gm),
    certificates: new Map(
      certificates.map((part): [string, string] => {
        const end = part.indexOf('\n');
        return [part.slice(0, end), part.slice(end + 1)];
      }),
    ),
  };
}

/** Read free blocks and the size of one. */
function freeBytes(text: string | undefined): number | null {
  const [, blocks, size] = /^(\d+) (\d+)$/.exec(text ?? '') ?? [];
  return blocks === undefined ? null : Number(blocks) * Number(size);
}

/** Read what `systemctl show` says: a paragraph of properties for each unit, its moment in microseconds of uptime. */
function activeUnits(lines: string, uptimeSeconds: number): Map<string, number> {
  const paragraphs = lines.split('\n\n').map((each) => (property: string) => {
    return new RegExp(`^${property}=(.*)$`, 'm').exec(each)?.[1] ?? '';
  });
  return new Map(
    paragraphs
      .filter((valueOf) => valueOf('ActiveState') === 'active')
      .map((valueOf): [string, number] => {
        const sinceMs = Number(valueOf('ActiveEnterTimestampMonotonic')) / 1000;
        return [valueOf('Id'), uptimeSeconds * 1000 - sinceMs];
      }),
  );
}

/** The id in a text that should be `node.json`; null for any other. */
export function identityOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  try {
    return NodeIdentity.parse(JSON.parse(text)).id;
  } catch {
    return null;
  }
}

/** Lines of a value and an absolute path, as a map from path to value. */
function pairs(lines: string, pattern: RegExp): Map<string, string> {
  return new Map(
    [...lines.matchAll(pattern)].map(([, value = '', path = '']): [string, string] => [path, value]),
  );
}
