/** What the front is told when it starts, in one JSON file: `front.js SETTINGS.json`. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { isBehindFront } from '../../src/config/rules/temporal.ts';
import { NodeId } from '../../src/config/schema.ts';

const Path = z.string().startsWith('/');

export const FrontSettings = z.object({
  /** Where nodes reach it: the head's cluster address. Port 0 takes a free one. */
  listen: z.object({ address: z.string(), port: z.number().int().min(0).max(65535) }),
  /** The Temporal service behind it, on this machine's loopback: `127.0.0.1:7233`. */
  upstream: z.string().refine(isBehindFront),
  namespace: z.string().min(1),
  /** PEM files; read again when they change. */
  ca: Path,
  certificate: Path,
  key: Path,
  /** Nodes of this cluster; the certificate of any other is refused. Read again when the file changes. */
  nodes: z.array(NodeId),
});
export type FrontSettings = z.infer<typeof FrontSettings>;

/** Read the settings. Throws what reading and the schema throw. */
export async function readSettings(path: string): Promise<FrontSettings> {
  return FrontSettings.parse(JSON.parse(await readFile(path, 'utf8')));
}

export interface Credentials {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Read the PEM files that the settings name. */
export async function readCredentials(settings: FrontSettings): Promise<Credentials> {
  const [ca, cert, key] = await Promise.all(
    [settings.ca, settings.certificate, settings.key].map((file) => readFile(file)),
  );
  if (!ca || !cert || !key) throw new Error('three files were read');
  return { ca, cert, key };
}
