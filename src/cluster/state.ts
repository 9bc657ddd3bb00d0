/**
 * What windlass keeps about itself on a node, as schemas: the files under its root, and the units it started.
 * The facts script prints these files as they are; the node worker writes them. Times are milliseconds since 1970.
 */
import { z } from 'zod';
import { HardwareClass, NodeId } from '../config/schema.ts';

const Time = z.number().int().nonnegative();
const Digest = z.string().regex(/^[0-9a-f]{64}$/);

/** `node.json`: who this machine is. Minted once; machine ids are not unique in the field. */
export const NodeIdentity = z.object({ id: NodeId, mintedAt: Time });
export type NodeIdentity = z.infer<typeof NodeIdentity>;

/** Orders runs of one cluster on a node: the later start wins, so a stale attempt can see that it is stale. */
export const Fence = z.object({ startedAt: Time, run: z.string().min(1).max(100) });
export type Fence = z.infer<typeof Fence>;

/** `owner.json`: which cluster of which home owns this node, and the newest run that acted on it. */
export const Owner = z.object({
  cluster: z.string().min(1).max(63),
  /** Node id of the head whose home owns the node. */
  home: NodeId,
  fence: Fence,
});
export type Owner = z.infer<typeof Owner>;

/** `envs/<hash>/windlass.json`, written last: this environment was made, filled, and compared with its lock. */
export const EnvironmentMarker = z.object({
  hash: z.string(),
  /** Hash of what was asked for (packages, indexes, Python). */
  request: z.string(),
  /** sha256 of the lock file that was installed. */
  lock: Digest,
  python: z.string(),
  /** sha256 over the sorted names of the installed distributions; a cheap look that nothing was added or removed. */
  listing: Digest,
  packages: z.number().int(),
  bytes: z.number().int(),
  at: Time,
});
export type EnvironmentMarker = z.infer<typeof EnvironmentMarker>;

/** `proofs/<environment hash>.json`: what ran on the GPU with this environment. */
export const Proof = z.object({
  environment: z.string(),
  hardware: HardwareClass,
  /** Compute capability of the device, as "12.1". */
  capability: z.string(),
  device: z.string(),
  driver: z.string().nullable(),
  torch: z.string(),
  archList: z.array(z.string()),
  kernelPackage: z.string(),
  assembler: z.string(),
  ran: z.array(z.string()),
  at: Time,
});
export type Proof = z.infer<typeof Proof>;

/** `models/<key>.json`: a model that lies complete on this node. */
export const ModelMarker = z.object({
  key: z.string(),
  model: z.string(),
  /** Commit hash; null for a model given by path. */
  commit: z.string().nullable(),
  path: z.string(),
  files: z.number().int(),
  bytes: z.number().int(),
  at: Time,
});
export type ModelMarker = z.infer<typeof ModelMarker>;

/** `runs/<unit>/result.json`, written by the unit itself when its process has ended. */
export const UnitResult = z.object({
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  startedAt: Time,
  endedAt: Time,
});
export type UnitResult = z.infer<typeof UnitResult>;

/** A process in the control group of one of our units: pid and start time together name it. */
export const UnitProcess = z.object({
  pid: z.number().int(),
  /** Field 22 of /proc/<pid>/stat: clock ticks since boot. */
  startTicks: z.number(),
  command: z.string(),
});
export type UnitProcess = z.infer<typeof UnitProcess>;

/** A `windlass-*` unit of the user's systemd manager. */
export const UnitState = z.object({
  name: z.string(),
  active: z.enum(['active', 'activating', 'deactivating', 'inactive', 'failed', 'reloading', 'unknown']),
  mainPid: z.number().int().nullable(),
  processes: z.array(UnitProcess),
  /** Null while it runs, and when it never wrote one. */
  result: UnitResult.nullable(),
  /**
   * What it has lost while it runs: `files`, its own folder, from which it was started and to which it writes; `daemon`, one
   * of Ray's without which its ranks end a while later; `session`, a Ray's folder, or that its token is the one it was
   * started with: what runs on it goes on, and nothing new can be started on it.
   */
  lost: z.enum(['files', 'daemon', 'session']).optional(),
});
export type UnitState = z.infer<typeof UnitState>;

/** Everything of ours that was found on a node. */
export const NodeState = z.object({
  identity: NodeIdentity.nullable(),
  owner: Owner.nullable(),
  /** Version of the installed payload: the target of `workers/current`. */
  payload: z.string().nullable(),
  /** Request hash → sha256 of the lock file found for it. */
  locks: z.record(z.string(), Digest),
  environments: z.array(
    EnvironmentMarker.extend({
      /** The listing as it is now; the environment is as it was made only if it equals `listing`. */
      listingNow: z.string().nullable(),
    }),
  ),
  proofs: z.array(Proof),
  models: z.array(
    ModelMarker.extend({
      /** Files and bytes found now under `path`. */
      filesNow: z.number().int(),
      bytesNow: z.number().int(),
    }),
  ),
  units: z.array(UnitState),
  /** When the certificates there end, in milliseconds since 1970. Facts of an older windlass have none. */
  certificates: z
    .array(z.object({ of: z.enum(['authority', 'front', 'node']), ends: z.number() }))
    .optional(),
});
export type NodeState = z.infer<typeof NodeState>;
