/**
 * What every activity takes, as schemas: the workflow builds these values, the node worker checks them again at its
 * door, because the Temporal service is not trusted to send only ours. No field names a program to run; which variables
 * are refused is below.
 */
import { z } from 'zod';
import { Address, ClusterSpec, HardwareClass, NodeId, Patience, ServingAddress } from '../config/schema.ts';
import { Fence } from './state.ts';

/** Nothing that a terminal or a log would obey. */
const noControl = /^\P{Cc}*$/u;

const Digest16 = z.string().regex(/^[0-9a-f]{16}$/);
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Port = z.number().int().min(1).max(65535);
const Plain = z.string().min(1).max(4096).regex(noControl);
const Root = Plain.refine((path) => path.startsWith('/') || path.startsWith('~/'));

/** Names that would change which code runs, or that windlass itself sets. */
export const reservedVariable =
  /^(LD_.*|PATH|PYTHONPATH|PYTHONHOME|PYTHONSTARTUP|BASH_ENV|ENV|NODE_OPTIONS|RAY_AUTH.*|RAY_ADDRESS|WINDLASS_.*|CUDA_VISIBLE_DEVICES|DUMPER_SERVER_PORT|HOME|SHELL|IFS)$/;

const Variables = z.record(
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/)
    .refine((name) => !reservedVariable.test(name)),
  z.string().max(4096).regex(noControl),
);

/** Which run asks, for the fence and the ledger. */
export const RunRef = z.object({
  cluster: z.string().min(1).max(63),
  home: NodeId,
  fence: Fence,
  /** Owners whose nodes a person has given to this run. */
  replaces: z
    .array(z.object({ node: NodeId, cluster: z.string().max(63), home: z.string().max(64) }))
    .max(1000)
    .optional(),
});
export type RunRef = z.infer<typeof RunRef>;

const base = { run: RunRef, node: NodeId, root: Root };

export const ObserveInput = z.object({ spec: ClusterSpec, node: NodeId });
export type ObserveInput = z.infer<typeof ObserveInput>;

const Url = z
  .string()
  .max(2000)
  .regex(/^https?:\/\/\S+$/u);

export const EnvironmentRequestInput = z.object({
  python: z.string().regex(/^3\.[0-9]{1,2}(\.[0-9]{1,2})?$/),
  packages: z.array(Plain.refine((text) => !text.startsWith('-'))).max(200),
  index: Url,
  extraIndexes: z.array(Url).max(10),
  findLinks: z.array(Plain.refine((text) => !text.startsWith('-'))).max(10),
  prerelease: z.boolean(),
  machine: z.enum(['x86_64', 'aarch64']),
});

export const LockInput = z.object({
  ...base,
  request: EnvironmentRequestInput,
  hash: Digest16,
  hardware: HardwareClass,
});
export type LockInput = z.infer<typeof LockInput>;

/** A lock as it travels: gzip and base64, about 40 KB for 200 packages. */
export const Lock = z.object({
  sha256: Sha256,
  packages: z.number().int(),
  bytes: z.number().int(),
  text: z.string().max(1_500_000),
});
export type Lock = z.infer<typeof Lock>;

export const ReadLockInput = z.object({ ...base, hash: Digest16 });
export type ReadLockInput = z.infer<typeof ReadLockInput>;

export const VenvInput = z.object({ ...base, environment: Digest16, request: EnvironmentRequestInput });
export type VenvInput = z.infer<typeof VenvInput>;

export const WheelsInput = z.object({
  ...base,
  environment: Digest16,
  request: EnvironmentRequestInput,
  requestHash: Digest16,
  lock: Lock.partial({ text: true }),
});
export type WheelsInput = z.infer<typeof WheelsInput>;

/** Where the interpreter is: an environment of ours, or one built by hand. */
export const EnvironmentPlace = z.union([
  z.object({ environment: Digest16 }),
  z.object({ path: Root, engine: Plain, engineVersion: Plain, rayVersion: Plain }),
]);
export type EnvironmentPlace = z.infer<typeof EnvironmentPlace>;

export const ProofInput = z.object({
  ...base,
  place: EnvironmentPlace,
  proof: Digest16,
  hardware: HardwareClass,
  variables: Variables,
});
export type ProofInput = z.infer<typeof ProofInput>;

export const ModelInput = z.object({
  ...base,
  key: Digest16,
  model: z.union([z.object({ id: Plain, revision: Plain, endpoint: Url }), z.object({ path: Root })]),
  /** Take weights that are not safetensors. */
  allowPickle: z.boolean().default(false),
  /** The commit that other nodes hold already; resolved from the revision when absent. */
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .optional(),
  index: Url,
  /** A version: uv would take a path for a program to run. */
  python: z.string().regex(/^3(\.[0-9]{1,2}){0,2}$/),
  withToken: z.boolean(),
});
export type ModelInput = z.infer<typeof ModelInput>;

/** One generation of the gang: every start of the gang has its own, so that a retry adopts and a restart does not. */
const Generation = z.string().min(1).max(120);

export const RayUnit = z.object({
  role: z.enum(['head', 'worker']),
  place: EnvironmentPlace,
  headAddress: Address,
  nodeAddress: Address,
  port: Port,
  gpus: z.number().int().min(1).max(16),
  cpus: z.number().int().min(1),
  objectStoreBytes: z.number().int().min(80_000_000),
  variables: Variables,
});
export type RayUnit = z.infer<typeof RayUnit>;

export const RayInput = z.object({ ...base, generation: Generation, ray: RayUnit });
export type RayInput = z.infer<typeof RayInput>;

export const RayNodesInput = z.object({
  ...base,
  place: EnvironmentPlace,
  headAddress: Address,
  port: Port,
  expected: z
    .array(z.object({ address: Address, gpus: z.number().int() }))
    .min(1)
    .max(1000),
  rayVersion: Plain,
});
export type RayNodesInput = z.infer<typeof RayNodesInput>;

export const EngineUnit = z.object({
  place: EnvironmentPlace,
  engine: z.enum(['sglang']),
  version: Plain,
  model: Plain,
  servedName: Plain,
  address: ServingAddress,
  port: Port,
  pipeline: z.number().int().min(1),
  tensor: z.number().int().min(1),
  nodes: z.number().int().min(1),
  rendezvousPort: Port,
  memoryFraction: z.number().optional(),
  contextLength: z.number().int().optional(),
  maxRunningRequests: z.number().int().optional(),
  kvCacheDtype: z.string().max(40).optional(),
  cudaGraphs: z.boolean(),
  trustRemoteCode: z.boolean(),
  extraArguments: z.array(Plain).max(200),
  withApiKey: z.boolean(),
  headAddress: Address,
  rayPort: Port,
  variables: Variables,
});
export type EngineUnit = z.infer<typeof EngineUnit>;

export const EngineInput = z.object({ ...base, generation: Generation, engine: EngineUnit, ray: z.string() });
export type EngineInput = z.infer<typeof EngineInput>;

/** The start of an engine that is waited for. */
export const ReadyInput = EngineInput.extend({ patience: Patience });
export type ReadyInput = z.infer<typeof ReadyInput>;

export const WatchInput = z.object({
  ...base,
  generation: Generation,
  unit: z.string().regex(/^windlass-(ray|engine)-[0-9a-f]{16}$/),
});
export type WatchInput = z.infer<typeof WatchInput>;

export const RanksInput = z.object({
  ...base,
  unit: z.string().regex(/^windlass-ray-[0-9a-f]{16}$/),
  /** As many ranks as GPUs of the node take part. */
  gpus: z.number().int().positive(),
});
export type RanksInput = z.infer<typeof RanksInput>;

export const SmokeInput = z.object({
  ...base,
  address: Address,
  port: Port,
  servedName: Plain,
  withApiKey: z.boolean(),
});
export type SmokeInput = z.infer<typeof SmokeInput>;

/** The server as it is watched: its unit too. */
export const ServerInput = SmokeInput.extend({ unit: z.string().regex(/^windlass-engine-[0-9a-f]{16}$/) });
export type ServerInput = z.infer<typeof ServerInput>;

/** Where something listens, or would. */
export const Endpoint = z.object({ address: Address, port: Port });
export type Endpoint = Readonly<z.infer<typeof Endpoint>>;

export const StopInput = z.object({
  ...base,
  /** Units to keep, because they are as wanted. */
  keep: z.array(z.string()).max(20),
  /** What must be free afterwards, unless a unit that is kept has it. */
  ports: z.array(Endpoint).max(20),
  /** `gang` ends Ray and the engine; `all` also every act that still runs. */
  what: z.enum(['gang', 'all']),
});
export type StopInput = z.infer<typeof StopInput>;
