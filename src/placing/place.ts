/**
 * Place windlass: the home on the head, a node worker on every node. Idempotent and parallel; a node that has this
 * version and its settings already costs one look. Nothing here runs as root, and no ssh key ever lies on a node.
 */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { layoutOf } from '../cluster/layout.ts';
import type { ClusterFile, SecretName } from '../config/schema.ts';
import { collectProblems, fail } from '../errors.ts';
import { execOk, execScript, requireSuccess } from '../ssh/exec.ts';
import type { UploadFile } from '../ssh/upload.ts';
import { uploadFiles } from '../ssh/upload.ts';
import type { LookedNode } from './look.ts';
import { identityOf } from './look.ts';
import type { Payload, Platform } from './payload/assemble.ts';
import { named } from './reach.ts';
import { readScript } from './script-files.ts';
import { mintRayToken } from './secrets.ts';
import type { TextFile, Wanted } from './wanted.ts';
import {
  demandPlatform,
  hasFrontCertificate,
  hasNodeCertificate,
  comesThroughFront,
  hasFront,
  rayTokenPath,
  stands,
  wantedHome,
  wantedNodeWorker,
} from './wanted.ts';

export interface PlacedNode extends LookedNode {
  readonly id: string;
}

export interface PlacingOptions {
  readonly file: ClusterFile;
  readonly secrets: ReadonlyMap<SecretName, string>;
  readonly payloadFor: (platform: Platform, withHome: boolean) => Promise<Payload>;
  /** One sentence about what happens on a node. */
  readonly note: (node: string, sentence: string) => void;
  readonly onBytes: (node: string, sent: number, total: number) => void;
}

/** Place everything; returns each node with its minted id. Throws all problems of all nodes at once. */
export async function placeCluster(
  nodes: readonly LookedNode[],
  options: PlacingOptions,
): Promise<PlacedNode[]> {
  const { file } = options;
  const placed = await collectProblems(
    nodes.map((node) => named(node.entry, undefined, () => mint(file, node))),
  );
  demandOneIdEach(placed);
  const head = placed.find((node) => node.entry.name === file.head);
  if (!head) throw fail('INTERNAL', { message: 'no head' });
  const versions = await collectProblems(
    placed.map((node) =>
      named(node.entry, undefined, async () => {
        const payload = await options.payloadFor(demandPlatform(node.look), node === head);
        await uploadPayload(node, payload, options);
        return payload.version;
      }),
    ),
  );
  const token = await readRayToken(head);
  const versionOf = (node: PlacedNode): string => versions[placed.indexOf(node)] ?? '';
  await named(head.entry, undefined, () => placeHome(head, placed, versionOf(head), options));
  await collectProblems(
    placed.map((node) =>
      named(node.entry, undefined, () =>
        placeNodeWorker(node, head, { own: versionOf(node), head: versionOf(head) }, token, options),
      ),
    ),
  );
  return placed;
}

/** Throws ID_TWICE: whoever is given a certificate under the id of another node takes its tasks. */
function demandOneIdEach(placed: readonly PlacedNode[]): void {
  for (const { id } of placed) {
    const bearers = placed.filter((node) => node.id === id).map(({ entry }) => entry.name);
    if (bearers.length > 1) throw fail('ID_TWICE', { id, nodes: bearers.join(', ') });
  }
}

async function mint(file: ClusterFile, node: LookedNode): Promise<PlacedNode> {
  if (node.look.id !== null) return { ...node, id: node.look.id };
  const script = await readScript('mint');
  const args = [file.root, randomBytes(8).toString('hex'), String(Date.now())];
  const { stdout } = requireSuccess(
    node.connection,
    'mint.sh',
    await execScript(node.connection, script, args),
  );
  const id = identityOf(stdout);
  if (id === null)
    throw fail('FACT_UNREADABLE', { fact: `${file.root}/node.json`, answer: stdout.slice(0, 300) });
  return { ...node, id };
}

async function uploadPayload(node: PlacedNode, payload: Payload, options: PlacingOptions): Promise<void> {
  if (node.look.payload === payload.version) return;
  const folder = `${layoutOf(node.look.root).payloads}/${payload.version}`;
  const files = payload.files.map((file): UploadFile => ({
    source: file.source,
    path: `${folder}/${file.path}`,
    mode: file.mode,
    sha256: file.sha256,
    isGzip: file.isGzip,
  }));
  options.note(node.entry.name, `placing windlass ${payload.version}`);
  if (payload.temporal) options.note(node.entry.name, payload.temporal.note);
  await uploadFiles(node.connection, files, {
    onBytes: (sent, total) => {
      options.onBytes(node.entry.name, sent, total);
    },
  });
}

/** The cluster's Ray token lies on the head; a new cluster gets a new one. */
async function readRayToken(head: PlacedNode): Promise<string> {
  const path = rayTokenPath(head.look.root);
  if (!head.look.contents.has(path)) return mintRayToken();
  const { stdout } = await execOk(head.connection, { file: 'cat', args: ['--', path] });
  return stdout.trim() === '' ? mintRayToken() : stdout.trim();
}

const asUpload = ({ path, text, mode }: TextFile): UploadFile => ({
  source: Buffer.from(text),
  path,
  mode,
  sha256: createHash('sha256').update(text).digest('hex'),
});

/**
 * Unless all stands as wanted: upload what differs, link the version and restart the units. `isLast` says that nothing
 * else of this node must be started after them.
 */
async function activate(
  node: PlacedNode,
  version: string,
  { files, units }: Wanted,
  isLast: boolean,
  options: PlacingOptions,
): Promise<void> {
  if (stands(node.look, version, { files, units })) return;
  const { activating } = layoutOf(node.look.root);
  // Where it is cut off from here on, the next placing does not take new files for settings that are in use.
  await uploadFiles(node.connection, [{ path: activating, text: version, mode: 0o600 }].map(asUpload));
  await uploadFiles(node.connection, files.map(asUpload));
  options.note(node.entry.name, `starting ${units.map((unit) => unit.replace('.service', '')).join(', ')}`);
  const result = await execScript(
    node.connection,
    await readScript('activate'),
    [node.look.root, version, isLast ? 'yes' : 'no', ...units],
    { timeoutMs: 120_000 },
  );
  if (result.verdict !== 'exited' || result.exitCode !== 0) {
    throw fail('HOME_FAILED', {
      evidence: result.stderr.trim() || result.stdout.trim() || result.verdict,
      log: `journalctl --user -u ${units.join(' -u ')}`,
    });
  }
}

async function placeHome(
  head: PlacedNode,
  placed: readonly PlacedNode[],
  version: string,
  options: PlacingOptions,
): Promise<void> {
  if (hasFront(options.file) && !hasFrontCertificate(head)) {
    const directory = `${layoutOf(head.look.root).home}/ca`;
    await certificates(head, version, ['init', '--dir', directory]);
    await certificates(head, version, ['server', '--dir', directory, '--address', head.entry.address]);
  }
  const ids = placed.map(({ id }) => id);
  // The link to the version moves under the head's node worker, too: until that is started again it runs the old one.
  const isLast = head.look.payload === version && !head.look.isActivating;
  await activate(head, version, wantedHome(options.file, head, ids), isLast, options);
}

/** Run our certificate tool on the head, by the Node.js of the payload: the CA's key never leaves that machine. */
async function certificates(head: PlacedNode, version: string, args: readonly string[]): Promise<string> {
  const folder = `${layoutOf(head.look.root).payloads}/${version}`;
  const { stdout } = await execOk(
    head.connection,
    { file: `${folder}/bin/node`, args: [`${folder}/certificates.js`, ...args] },
    { timeoutMs: 60_000 },
  );
  return stdout;
}

async function placeNodeWorker(
  node: PlacedNode,
  head: PlacedNode,
  versions: { readonly own: string; readonly head: string },
  token: string,
  options: PlacingOptions,
): Promise<void> {
  const { file, secrets } = options;
  const wanted = wantedNodeWorker(file, node, head.entry, secrets);
  const needsCertificate = comesThroughFront(file, node.entry) && !hasNodeCertificate(node, head.look);
  const files = [
    ...(needsCertificate ? await certificateFiles(node, head, versions.head, options) : []),
    { path: rayTokenPath(node.look.root), text: token, mode: 0o600 },
    ...wanted.files,
  ];
  await activate(node, versions.own, { ...wanted, files }, true, options);
}

const Issued = z.object({ ca: z.string(), certificate: z.string(), key: z.string() });

async function certificateFiles(
  node: PlacedNode,
  head: PlacedNode,
  headVersion: string,
  options: PlacingOptions,
): Promise<TextFile[]> {
  options.note(node.entry.name, 'issuing its certificate');
  const directory = `${layoutOf(head.look.root).home}/ca`;
  const printed = await certificates(head, headVersion, ['issue', '--dir', directory, '--name', node.id]);
  const issued = Issued.parse(JSON.parse(printed));
  const folder = layoutOf(node.look.root).certificates;
  return [
    { path: `${folder}/ca.crt`, text: issued.ca, mode: 0o600 },
    { path: `${folder}/node.crt`, text: issued.certificate, mode: 0o600 },
    { path: `${folder}/node.key`, text: issued.key, mode: 0o600 },
  ];
}
