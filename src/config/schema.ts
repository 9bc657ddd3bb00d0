/**
 * The cluster file as a strict schema: the only source of its types, defaults and reference text. Pure, so that
 * workflows and node workers can validate with the same rules. Rules across fields stand in `rules.ts`.
 */
import { z } from 'zod';
import { phases } from '../engines/engine.ts';

const wholeNumber = (what: string, min: number, max: number) =>
  z
    .number({ error: `${what} must be a whole number from ${min} to ${max}` })
    .int({ error: `${what} must be a whole number from ${min} to ${max}` })
    .min(min, { error: `${what} must be a whole number from ${min} to ${max}` })
    .max(max, { error: `${what} must be a whole number from ${min} to ${max}` });

const port = () => wholeNumber('a port', 1, 65535);

/** Controls, bidirectional overrides, zero-width characters, byte-order marks, lone surrogates, line separators. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Names the first such character and its place, as in `(U+202E at 7)`. */
const visibleOnly = {
  error: ({ input }: { input?: unknown }) => {
    const before = String(input).search(invisible);
    const code = String(input).codePointAt(before) ?? 0;
    return `contains a control or invisible character (U+${code.toString(16).toUpperCase().padStart(4, '0')} at ${before + 1})`;
  },
};

const plainText = (max: number) =>
  z
    .string()
    .min(1, { error: 'must not be empty' })
    .max(max, { error: `must have at most ${max} characters` })
    .refine((value) => !invisible.test(value), visibleOnly);

const notADash = (value: string) => !value.startsWith('-');
const noDash = { error: 'may not start with a dash' };

/** A DNS-label-like name; people read it, Temporal ids carry it. */
export const Name = z.string({ error: 'must be one name' }).regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, {
  error:
    'names have lower-case letters, digits and dashes, at most 63, and begin and end with a letter or digit',
});

/** An IPv4 or IPv6 address in its usual form. */
export const Address = z.union([z.ipv4(), z.ipv6()], { error: 'is not an IPv4 or IPv6 address' });

/** Every spelling of the unspecified address, IPv4 and IPv6, has zeros, dots and colons only. */
const isUnspecified = (address: string) => /^[0.:]+$/.test(address);

/** Where the API listens: one address, never all of them. */
export const ServingAddress = Address.refine((address) => !isUnspecified(address), {
  error: ({ input }) =>
    `${String(input)} would open the API on every network of the head; name one of its addresses`,
});

const HostName = plainText(253)
  .refine(notADash, noDash)
  .regex(/^[A-Za-z0-9._:%-]+$/, { error: 'host names have letters, digits, dots, dashes and underscores' });

const UserName = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}\$?$/, { error: 'is not a Linux user name' });

/** A path that is absolute or begins with the home directory. */
const FilePath = plainText(512)
  .refine(notADash, noDash)
  .refine((value) => value.startsWith('/') || value.startsWith('~/'), {
    error: 'must be an absolute path, or begin with ~/',
  })
  .refine((value) => !value.split('/').includes('..'), { error: 'may not contain ..' });

const HostKeyPin = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, {
  error: 'a pin looks like SHA256: and 43 characters (ssh-keygen -lf)',
});

const Version = z
  .string({ error: 'version must be a quoted string, as in "1.10" (YAML reads 1.10 as 1.1)' })
  .regex(/^[0-9]+(\.[0-9]+)*([a-z0-9.+-]*)$/, { error: 'is not a version' });

/** Network interface names as Linux has them. */
const Interface = z.string().regex(/^[A-Za-z0-9._@-]{1,15}$/, {
  error: 'interface names have 1 to 15 characters of A–Z a–z 0–9 . _ - @; exclusion lists go in network.nccl',
});

export const HardwareClass = z.enum(['spark', 'thor', 'other'], {
  error: 'must be spark, thor, other or auto',
});
export type HardwareClass = z.infer<typeof HardwareClass>;

const Ssh = z.strictObject({
  host: HostName.optional().describe(
    'Name or address for ssh, as you would type it after `ssh`; your ssh configuration applies. Default: the node’s address.',
  ),
  port: port().optional().describe('Port of sshd; beats your ssh configuration.'),
  user: UserName.optional().describe('Login name; beats your ssh configuration.'),
  identityFile: FilePath.optional().describe(
    'Private key, the only one that is offered; beats your ssh configuration.',
  ),
  hostKey: HostKeyPin.optional().describe('Fingerprint of the host key; beats known_hosts.'),
});

export const Node = z.strictObject({
  name: Name.describe('Name of the node, for people; unique in the file.'),
  address: Address.describe('Its address on the cluster network, which the other nodes reach.'),
  hardware: z
    .union([HardwareClass, z.literal('auto')], { error: 'must be spark, thor, other or auto' })
    .default('auto')
    .describe('Hardware class; `auto` reads it from the node.'),
  gpus: wholeNumber('gpus', 1, 16).default(1).describe('GPUs of the node that take part.'),
  interface: Interface.optional().describe(
    'Network interface for NCCL and Gloo. Default: the one that holds the node’s address.',
  ),
  ssh: Ssh.prefault({}).describe('How the operator’s machine reaches it.'),
});

const repositoryId = plainText(200).regex(/^[A-Za-z0-9][A-Za-z0-9._-]*\/[A-Za-z0-9][A-Za-z0-9._-]*$/, {
  error: 'a model id looks like owner/name, with letters, digits, dots, dashes and underscores',
});

const allowPickle = z
  .boolean()
  .default(false)
  .describe('Take a model that has no safetensors; loading other weights can run code that comes with them.');

/** Code that comes with a model is allowed by what was looked at, not by a name that may move. */
export const isCommit = (revision: string) => /^[0-9a-f]{40}$/.test(revision);

export const HubModel = z.strictObject({
  id: repositoryId.describe('Model id on the hub, owner/name.'),
  revision: plainText(100)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, { error: 'is not a branch, tag or commit' })
    .default('main')
    .describe(
      'Branch, tag or commit. A branch or tag is resolved to one commit for all nodes, and not anew while one of them holds the model; to move on, name a commit.',
    ),
  endpoint: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .default('https://huggingface.co')
    .describe('The hub’s address, without a login; a token goes in `secrets.huggingFaceToken`.'),
  trustRemoteCode: z
    .boolean()
    .default(false)
    .describe(
      'Run code that comes with the model, as the user that serves it. Needs a commit hash as revision. Off is a word to the engine, whose own switch has been bypassed before.',
    ),
  allowPickle,
});

export const PathModel = z.strictObject({
  path: FilePath.describe('Folder of the model, the same on every node; checked, never changed.'),
  trustRemoteCode: z.boolean().default(false).describe('Run code that comes with the model.'),
  allowPickle,
});

export const Model = z.union([HubModel, PathModel], {
  error: 'must have either id (and revision) or path',
});

/** A start that is ready waits for nothing. */
const WaitedFor = z.enum(phases).exclude(['ready']);

export const Patience = z
  .partialRecord(WaitedFor, wholeNumber('patience', 1, 86_400), {
    error: `must be seconds by phase of the start: ${WaitedFor.options.join(', ')}`,
  })
  .default({});

export const Engine = z.strictObject({
  name: z.enum(['sglang', 'vllm'], { error: 'must be sglang or vllm' }).describe('The engine.'),
  version: Version.describe('Its version, exactly; a quoted string.'),
  patience: Patience.describe(
    `Seconds (1 to 86400) that a phase of the start may take without a sign of progress (a log line, CPU time, another process), by phase, as \`{ weights: 1800 }\`. The phases: ${WaitedFor.options.join(', ')}. Default of each: 600. Computing without a log line is waited for six times as long.`,
  ),
});

export const Parallel = z.strictObject({
  pipeline: wholeNumber('pipeline', 1, 1024).describe('Pipeline stages.'),
  tensor: wholeNumber('tensor', 1, 64).default(1).describe('GPUs that share one layer.'),
});

export const Serving = z.strictObject({
  address: ServingAddress.optional().describe(
    'Address of the API; loopback is allowed, 0.0.0.0 and :: are not. Default: the head’s cluster address.',
  ),
  port: port().default(5000).describe('Port of the API.'),
  servedName: plainText(200)
    .refine(notADash, noDash)
    .optional()
    .describe('Model name in the API. Default: the model id.'),
  memoryFraction: z
    .number({ error: 'must be a number above 0 and below 1' })
    .gt(0, { error: 'must be a number above 0 and below 1' })
    .lt(1, { error: 'must be a number above 0 and below 1' })
    .optional()
    .describe('Share of GPU memory for weights and cache. Default: the engine decides.'),
  contextLength: wholeNumber('contextLength', 16, 16_777_216)
    .optional()
    .describe('Longest context, in tokens.'),
  maxRunningRequests: wholeNumber('maxRunningRequests', 1, 100_000)
    .optional()
    .describe('Requests served at the same time.'),
  kvCacheDtype: z
    .enum(['auto', 'fp8_e4m3', 'fp8_e5m2', 'fp8', 'bfloat16'], {
      error: 'must be auto, fp8_e4m3, fp8_e5m2, fp8 or bfloat16',
    })
    .optional()
    .describe('Type of the KV cache; SGLang wants fp8_e4m3 where vLLM says fp8.'),
  cudaGraphs: z
    .boolean()
    .default(true)
    .describe('Capture CUDA graphs; off avoids memory and assembler trouble on Thor.'),
  rendezvousPort: port().default(28500).describe('Port on which rank 0 gathers the ranks.'),
  extraArguments: z
    .array(plainText(1000), { error: 'must be a list of strings' })
    .max(200)
    .default([])
    .describe('More arguments for the engine, one string each, checked against its known options.'),
});

const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, { error: 'is not a variable name' });
const variableValue = z
  .string({ error: 'must be a quoted string' })
  .max(4096)
  .refine((value) => !invisible.test(value), visibleOnly);

const Variables = z.record(variableName, variableValue);

/** A name, extras, and a version, URL or marker behind it; the rest is judged by the installer. */
const Requirement = plainText(300)
  .refine(notADash, noDash)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[A-Za-z0-9._, -]+\])? *(?:(?:[=!<>~]=?=?|@|;)[^`$|&]*)?$/, {
    error: 'a requirement looks like name==version',
  });

const IndexUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });

export const BuiltEnvironment = z.strictObject({
  python: z
    .string({ error: 'python must be a quoted string, as in "3.12"' })
    .regex(/^3\.[0-9]{1,2}(\.[0-9]{1,2})?$/, { error: 'must look like "3.12" or "3.12.3"' })
    .default('3.12')
    .describe('Python version; the same on all nodes to the patch.'),
  packages: z
    .array(Requirement, { error: 'must be a list of strings' })
    .max(100)
    .default([])
    .describe(
      'More requirements beside the engine and Ray, as pip writes them; not sglang, vllm or ray, whose versions are fields of their own.',
    ),
  index: IndexUrl.optional().describe(
    'Package index, without a login, which goes into `~/.netrc` of the nodes. Default: https://pypi.org/simple.',
  ),
  extraIndexes: z
    .array(IndexUrl)
    .max(10)
    .default([])
    .describe('Further indexes, asked before `index`; without a login, too.'),
  findLinks: z
    .array(plainText(512).refine(notADash, noDash))
    .max(10)
    .default([])
    .describe('Folders or pages with hand-built wheels; without a login, too.'),
  prerelease: z.boolean().default(true).describe('Allow pre-releases; SGLang’s dependencies need it.'),
  variables: Variables.default({}).describe(
    'Environment variables for Ray and the engine on nodes of this class.',
  ),
});

const OwnEnvironment = z.strictObject({
  path: FilePath.describe('A virtual environment built by hand: verified, never changed.'),
  variables: Variables.default({}).describe(
    'Environment variables for Ray and the engine on nodes of this class.',
  ),
});

export const Environment = z.union([OwnEnvironment, BuiltEnvironment], {
  error: 'must be either path (an environment built by hand), or python, packages and indexes',
});

export const Network = z.strictObject({
  transport: z
    .enum(['auto', 'socket', 'roce'], { error: 'must be auto, socket or roce' })
    .default('auto')
    .describe(
      'How NCCL moves data; one choice for the whole cluster. `auto`: sockets, as soon as the classes differ.',
    ),
  nccl: Variables.default({}).describe('NCCL_ variables that replace what is computed, on every node.'),
  gloo: Variables.default({}).describe('GLOO_ variables that replace what is computed, on every node.'),
});

export const Ray = z.strictObject({
  version: Version.default('2.60.0').describe('Ray’s version, the same on all nodes.'),
  port: port()
    .default(6379)
    .describe('Port of the Ray head. The six after it are Ray’s, too, on every node.'),
  objectStoreMegabytes: wholeNumber('objectStoreMegabytes', 80, 1_000_000)
    .default(2000)
    .describe('Object store of each node, in megabytes; little is needed.'),
  cpus: wholeNumber('cpus', 1, 1024)
    .default(1)
    .describe(
      'CPUs that Ray counts on each node. Ray keeps an idle process for each, and a rank needs one; more would only hold memory.',
    ),
});

export const Temporal = z.strictObject({
  address: z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$/, { error: 'must be host:port' })
    .optional()
    .describe('A Temporal service of your own, host:port as the head reaches it. Default: one on the head.'),
  plaintext: z
    .boolean({ error: 'must be true or false' })
    .optional()
    .describe(
      'Consent to an `address` that is not on the head’s loopback: it is dialled without TLS, so the network must protect it. Default: such an address is refused.',
    ),
  port: port().default(7233).describe('Port of the home’s Temporal service, on the head’s loopback.'),
  uiPort: port().default(8233).describe('Port of its web page, on the head’s loopback.'),
  frontPort: port()
    .default(7243)
    .describe('Port on the head’s cluster address where node workers come in, with mutual TLS.'),
  namespace: Name.default('windlass').describe('Namespace.'),
});

export const Keeper = z.strictObject({
  enabled: z
    .boolean({ error: 'must be true or false' })
    .default(true)
    .describe(
      'Watch every rank of the serving cluster on its own node, and start all ranks again together when one is lost.',
    ),
});

export const SecretReference = z.union(
  [
    z.strictObject({ fromEnv: variableName.describe('Variable on the operator’s machine.') }),
    z.strictObject({ fromFile: FilePath.describe('File on the operator’s machine.') }),
  ],
  { error: 'secrets go in fromEnv or fromFile' },
);
export type SecretReference = z.infer<typeof SecretReference>;

const Secrets = z.strictObject({
  huggingFaceToken: SecretReference.optional().describe('Token for gated models.'),
  apiKey: SecretReference.optional().describe('Key that the API asks for.'),
});

export const secretNames = ['huggingFaceToken', 'apiKey'] as const;
export type SecretName = (typeof secretNames)[number];

/** Where windlass keeps everything of its own on each node. */
const defaultRoot = '~/.local/share/windlass';

/** The parts that the file and the workflow's input share. */
const common = {
  schemaVersion: z
    .literal(1, { error: 'this program reads schemaVersion 1' })
    .describe('Version of this format: 1.'),
  name: Name.describe('Name of the cluster; its runs are called cluster/<name>.'),
  head: Name.describe('Name of the node that has rank 0, runs the Ray head and holds the home.'),
  model: Model.describe('The model to serve.'),
  engine: Engine.describe('The engine and its version.'),
  launcher: z
    .enum(['ray', 'ranks'], { error: 'must be ray or ranks' })
    .default('ray')
    .describe('How ranks are started.'),
  parallel: Parallel.describe('How the model is split.'),
  serving: Serving.prefault({}).describe('The API.'),
  environments: z
    .partialRecord(HardwareClass, Environment)
    .default({})
    .describe('The Python environment of each hardware class.'),
  network: Network.prefault({}).describe('NCCL and Gloo; computed per node, overridable.'),
  ray: Ray.prefault({}).describe('Ray.'),
  temporal: Temporal.prefault({}).describe('Where the runs live.'),
  keeper: Keeper.prefault({}).describe('What watches the cluster while it serves.'),
  root: FilePath.default(defaultRoot).describe('Folder of windlass on each node.'),
};

const nodesError = { error: 'must be a list of nodes' };

/** What a person writes. */
export const ClusterFile = z.strictObject({
  ...common,
  nodes: z
    .array(Node, nodesError)
    .min(1, { error: 'needs at least one node' })
    .max(1000, { error: 'at most 1,000 nodes' })
    .describe('The nodes.'),
  secrets: Secrets.prefault({}).describe(
    'Secrets, by reference; values never stand in the file. `apiKey`, which the API asks for, is printable ASCII without spaces and does not begin with a dash.',
  ),
});
export type ClusterFile = z.infer<typeof ClusterFile>;
export type NodeEntry = z.infer<typeof Node>;

/** Ids are minted on the nodes; queues and certificates carry them. */
export const NodeId = z.string().regex(/^[0-9a-f]{16}$/, { error: 'a node id has 16 hexadecimal digits' });

/** What a workflow takes: the file, with minted node ids, without ssh, and with secrets by name only. */
export const ClusterSpec = z
  .strictObject({
    ...common,
    nodes: z
      .array(
        Node.omit({ ssh: true }).extend({ id: NodeId.describe('Minted id of the machine.') }),
        nodesError,
      )
      .min(1)
      .max(1000),
    secrets: z.array(z.enum(secretNames)).default([]).describe('Names of the secrets that lie on the nodes.'),
  })
  .refine(({ model }) => !('id' in model && model.trustRemoteCode) || isCommit(model.revision), {
    path: ['model', 'trustRemoteCode'],
    error: 'running the model’s own code needs a commit hash (40 digits) as revision',
  });
export type ClusterSpec = z.infer<typeof ClusterSpec>;
export type SpecNode = ClusterSpec['nodes'][number];
