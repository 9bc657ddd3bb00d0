/** The settings file of a long-lived process of ours, written at placing; paths are absolute. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Name, NodeId } from '../src/config/schema.ts';

const Tls = z.object({ ca: z.string(), certificate: z.string(), key: z.string(), serverName: z.string() });

/** `node-worker.json` */
export const NodeWorkerSettings = z.object({
  id: NodeId,
  root: z.string(),
  address: z.string(),
  namespace: Name,
  /** Absent on the head, whose worker reaches the service over loopback. */
  tls: Tls.optional(),
});
export type NodeWorkerSettings = z.infer<typeof NodeWorkerSettings>;

/** `home/control-worker.json` */
export const ControlWorkerSettings = z.object({ address: z.string(), namespace: Name });
export type ControlWorkerSettings = z.infer<typeof ControlWorkerSettings>;

/** Read and check a settings file. */
export async function readSettings<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(JSON.parse(await readFile(path, 'utf8')));
}
