/** A cluster file for commands as typed: its head is an sshd in this process, its service that of the tests. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fingerprint } from '../../src/ssh/known-hosts.ts';
import type { ClusterSpec } from '../../src/config/schema.ts';
import type { KeyPair, SshdInProcess } from '../support/sshd-in-process.ts';

/** Write the file of a spec into the folder of the sshd; returns its path. */
export async function writeClusterFile(
  sshd: SshdInProcess,
  hostKey: KeyPair,
  { name, head, nodes, parallel, model, engine }: ClusterSpec,
  temporal: { readonly address: string; readonly namespace: string },
): Promise<string> {
  const target = await sshd.target();
  const ssh = {
    host: target.host,
    port: target.port,
    user: target.user,
    identityFile: target.identityFiles[0]?.path,
    hostKey: fingerprint(Buffer.from(hostKey.public.split(' ')[1] ?? '', 'base64')),
  };
  // YAML takes JSON as it is.
  const text = JSON.stringify({
    ...{ schemaVersion: 1, name, head, parallel, temporal },
    nodes: nodes.map((node) => ({
      name: node.name,
      address: node.address,
      ...(node.name === head && { ssh }),
    })),
    model: 'id' in model ? { id: model.id } : model,
    engine: { name: engine.name, version: engine.version },
  });
  const path = join(sshd.folder, 'cluster.yaml');
  await writeFile(path, text);
  return path;
}
