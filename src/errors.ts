/**
 * The one table of error codes and the one error class. A code decides what may be retried and how the
 * program exits; nothing decides by the text of a message.
 */

/** Exit codes of the program. */
export const Exit = {
  done: 0,
  stepFailed: 1,
  usage: 2,
  checkFailed: 3,
  temporalUnreachable: 4,
  waitingForPerson: 5,
  detached: 130,
} as const;

type Data = Readonly<Record<string, unknown>>;

interface CodeEntry {
  /**
   * `act`: the same act is tried again. `few`: it is, a few times, since a line may have broken. `gang`: all ranks are
   * stopped and started again. `person`: a person mends it on the machine, and then the same act is right; a bring-up
   * waits for that as long as it takes. `never`: another file, program or command is needed, so that waiting is in vain.
   */
  readonly retry: 'never' | 'person' | 'few' | 'act' | 'gang';
  readonly exitCode: number;
  /** What happened, as a sentence without a full stop. */
  readonly summary: (data: Data) => string;
  /** What to do, as one or more sentences; empty when the summary says it all. */
  readonly advice: (data: Data) => string;
}

const entry = (
  retry: CodeEntry['retry'],
  exitCode: number,
  summary: (data: Data) => string,
  advice: (data: Data) => string = () => '',
): CodeEntry => ({ retry, exitCode, summary, advice });

const text = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '?' : JSON.stringify(value);

const { stepFailed, usage, checkFailed, temporalUnreachable, waitingForPerson } = Exit;

export const codes = {
  // The cluster file and the command line
  USAGE: entry('never', usage, (d) => text(d['message'])),
  CLUSTER_FILE_INVALID: entry('never', usage, (d) => text(d['message'])),
  SECRET_UNREADABLE: entry(
    'never',
    usage,
    (d) => `the secret ${text(d['name'])} cannot be read from ${text(d['from'])}: ${text(d['reason'])}`,
    () => 'Set the variable or create the file, then run the command again.',
  ),
  SPEC_INVALID: entry(
    'never',
    usage,
    (d) => `the workflow input is not a cluster spec: ${text(d['problems'])}`,
  ),

  // Reaching a node over ssh
  SSH_REFUSED: entry(
    'act',
    stepFailed,
    (d) => `nothing listens on ${text(d['host'])}:${text(d['port'])} (connection refused)`,
    () => 'Start sshd there, or set ssh.port in the cluster file.',
  ),
  SSH_TIMEOUT: entry(
    'act',
    stepFailed,
    (d) => `no answer from ${text(d['host'])}:${text(d['port'])} within ${text(d['seconds'])} s`,
    (d) => `Is the machine on, on this network, and port ${text(d['port'])} open?`,
  ),
  SSH_DNS: entry(
    'act',
    stepFailed,
    (d) => `the name ${text(d['host'])} cannot be resolved`,
    () => 'Use an address, or set ssh.host in the cluster file.',
  ),
  SSH_UNREACHABLE: entry(
    'act',
    stepFailed,
    (d) => `${text(d['host'])}:${text(d['port'])} cannot be reached: ${text(d['reason'])}`,
    () => 'Check the route to this network.',
  ),
  SSH_NOT_SSH: entry(
    'never',
    stepFailed,
    (d) => `${text(d['host'])}:${text(d['port'])} is not an ssh server; it said ${text(d['said'])}`,
    () => 'Set ssh.port in the cluster file.',
  ),
  SSH_HOST_KEY_CHANGED: entry(
    'never',
    waitingForPerson,
    (d) => `host key changed: expected ${text(d['expected'])}, the host offered ${text(d['offered'])}`,
    (d) =>
      'Either the machine was reinstalled or something is in between. Nothing was sent to it. ' +
      `If it was reinstalled, check the fingerprint on its console, then put it in the cluster file: ${text(d['field'] ?? 'ssh.hostKey')}`,
  ),
  SSH_HOST_KEY_UNKNOWN: entry(
    'never',
    waitingForPerson,
    (d) => `host key unknown: ${text(d['host'])} offered ${text(d['offered'])}`,
    (d) =>
      'Nothing was sent to it. Check the fingerprint on its console, then either connect once with ssh, ' +
      `or put it in the cluster file: ${text(d['field'] ?? 'ssh.hostKey')}`,
  ),
  SSH_AUTH: entry(
    'never',
    stepFailed,
    (d) => `${text(d['host'])} refused the login as ${text(d['user'])} (${text(d['tried'])})`,
    () => 'Add the public key to ~/.ssh/authorized_keys there, or name another key in ssh.identityFile.',
  ),
  SSH_LOST: entry(
    'act',
    stepFailed,
    (d) => `the connection to ${text(d['host'])} was lost ${text(d['during'] ?? '')}`.trim(),
    () => 'Run the same command again once the network is back: what is done already is found and kept.',
  ),
  SSH_CONFIG: entry(
    'never',
    usage,
    (d) => `ssh -G ${text(d['host'])} gave no settings: ${text(d['reason'])}`,
    () => 'Mend ~/.ssh/config, which ssh itself refuses as well.',
  ),
  KEY_UNREADABLE: entry(
    'never',
    usage,
    (d) => `the key ${text(d['path'])} cannot be used: ${text(d['reason'])}`,
    () => 'Name a private key in ssh.identityFile or in ~/.ssh/config.',
  ),
  KEY_ENCRYPTED: entry(
    'never',
    usage,
    (d) => `the key ${text(d['path'])} has a passphrase and no agent holds it`,
    (d) => `Run: ssh-add ${text(d['path'])}`,
  ),
  REMOTE_COMMAND: entry(
    'never',
    stepFailed,
    (d) => `${text(d['command'])} ended with ${text(d['ended'])}: ${text(d['evidence'])}`,
    () => 'Run the command on that node by hand to see more.',
  ),
  UPLOAD: entry(
    'act',
    stepFailed,
    (d) => `${text(d['path'])} could not be written: ${text(d['reason'])}`,
    () => 'Mend what stands there, then run the same command again: files that arrived whole are kept.',
  ),
  DISK_FULL: entry(
    'person',
    stepFailed,
    (d) =>
      `no space left for ${text(d['path'])}${d['free'] === undefined ? '' : ` (${text(d['free'])} free)`}`,
    () =>
      'Free space there. A run that waits for it goes on by windlass retry, anything else by the same command.',
  ),
  READ_ONLY: entry(
    'person',
    stepFailed,
    (d) => `${text(d['path'])} is on a read-only file system`,
    () => 'Remount it writable, or set root in the cluster file.',
  ),
  NO_PERMISSION: entry(
    'person',
    stepFailed,
    (d) => `no permission to write ${text(d['path'])}`,
    () => 'Give the ssh user its own home directory.',
  ),
  PLATFORM_UNSUPPORTED: entry(
    'never',
    stepFailed,
    (d) =>
      `${text(d['found'])} is not a platform windlass has a payload for (linux x86_64 or aarch64, glibc 2.28 or newer)`,
    () => 'Nothing was uploaded.',
  ),

  // Downloads on the operator's machine
  DOWNLOAD_FAILED: entry(
    'act',
    stepFailed,
    (d) => `${text(d['what'])} could not be fetched from ${text(d['from'])}: ${text(d['reason'])}`,
    () => 'Check the registry settings of npm and pip on this machine.',
  ),
  DOWNLOAD_HASH: entry(
    'never',
    stepFailed,
    (d) => `${text(d['what'])} has the hash ${text(d['found'])} where ${text(d['expected'])} is pinned`,
    () => 'It was not used. Something between here and the registry changed the file.',
  ),

  // Commands on a node
  FACT_UNREADABLE: entry(
    'act',
    stepFailed,
    (d) => `the fact ${text(d['fact'])} cannot be read; the node answered ${text(d['answer'])}`,
    () =>
      'Look at it on the node. A file of that name lies in windlass’s folder there: put it right, or take it away where nothing of windlass runs on that node; then run the command again.',
  ),

  // Checks, ownership, fence
  CHECKS_FAILED: entry(
    'never',
    checkFailed,
    (d) => text(d['message']),
    () => 'Nothing has been changed.',
  ),
  NODE_OWNED: entry(
    'person',
    waitingForPerson,
    (d) => `the node belongs to the cluster ${text(d['owner'])} (home ${text(d['home'])})`,
    () => 'Run windlass down --purge with that cluster file first, or choose another node.',
  ),
  POLICY: entry(
    'never',
    stepFailed,
    (d) => `the owner of this machine refuses it in ${text(d['path'])}: ${text(d['what'])}`,
    () => 'Change the cluster file, or let the owner change that file.',
  ),
  NODE_MISMATCH: entry(
    'never',
    waitingForPerson,
    (d) => `this machine is node ${text(d['found'])}, the run wants ${text(d['expected'])}`,
    () =>
      'Was the address moved to another machine? Run windlass up from an operator machine to place it again.',
  ),
  ID_TWICE: entry(
    'never',
    stepFailed,
    (d) => `${text(d['nodes'])} bear the same id (${text(d['id'])}), and nothing was placed`,
    () =>
      'They are one machine, or the disk of one is a copy, or one of them lies. From a copy remove node.json in windlass’s root, then run windlass up.',
  ),
  FENCED: entry(
    'never',
    stepFailed,
    (d) => `a newer run (${text(d['by'])}) owns this node; this attempt stopped without a change`,
    () =>
      'windlass status shows what runs now. Where nothing does, the clock of the head went back: start again in ten minutes.',
  ),
  NODE_WORKER_SILENT: entry(
    'person',
    waitingForPerson,
    (d) => `no node worker on ${text(d['node'])} (${text(d['address'])}) takes its task`,
    () => 'Is the machine up? windlass up places the node worker again.',
  ),

  // Environment
  LOCK_FAILED: entry(
    'few',
    stepFailed,
    (d) => `the packages for ${text(d['class'])} cannot be resolved: ${text(d['evidence'])}`,
    () => 'Correct environments in the cluster file.',
  ),
  ENVIRONMENT_FAILED: entry(
    'few',
    stepFailed,
    (d) => `the virtual environment was not made: ${text(d['evidence'])}`,
  ),
  PYTHON_MISSING: entry(
    'never',
    stepFailed,
    (d) => `Python ${text(d['wanted'])} is not there and uv could not bring it: ${text(d['evidence'])}`,
    () => 'Install it, or set environments.<class>.python to a version that the node has.',
  ),
  WHEELS_FAILED: entry(
    'few',
    stepFailed,
    (d) => `the packages were not installed: ${text(d['evidence'])}`,
    (d) => `Log: ${text(d['log'])}`,
  ),
  INDEX_UNREACHABLE: entry(
    'act',
    stepFailed,
    (d) => `${text(d['index'])} cannot be reached from the node: ${text(d['reason'])}`,
  ),
  ENVIRONMENT_DIFFERS: entry(
    'never',
    stepFailed,
    (d) => `the environment ${text(d['path'])} does not hold what was asked: ${text(d['difference'])}`,
  ),
  ARCH_MISMATCH: entry(
    'never',
    stepFailed,
    (d) =>
      `${text(d['library'])} has no kernel for this GPU (compute capability ${text(d['capability'])}): ${text(d['evidence'])}`,
    (d) =>
      `It was built for ${text(d['archList'])}. Use an index with wheels for this class in environments.${text(d['class'])}.`,
  ),
  TORCH_CPU_ONLY: entry(
    'never',
    stepFailed,
    (d) => `torch ${text(d['version'])} is a CPU build; it sees no GPU`,
    (d) => `Use an index with CUDA wheels in environments.${text(d['class'])}.`,
  ),
  ASSEMBLER_MISMATCH: entry(
    'never',
    stepFailed,
    (d) => `Triton's assembler cannot make code for this GPU: ${text(d['evidence'])}`,
    () => 'Set TRITON_PTXAS_BLACKWELL_PATH in environments.<class>.variables to a ptxas that can.',
  ),
  PROOF_FAILED: entry(
    'never',
    stepFailed,
    (d) => `the architecture proof did not run: ${text(d['evidence'])}`,
  ),

  // Model
  MODEL_FAILED: entry(
    'few',
    stepFailed,
    (d) => `the model ${text(d['model'])} was not staged: ${text(d['evidence'])}`,
    (d) => `Log: ${text(d['log'])}`,
  ),
  MODEL_NOT_FOUND: entry(
    'never',
    stepFailed,
    (d) => `the hub knows no model ${text(d['model'])} at revision ${text(d['revision'])}`,
    () => 'Check model.id and model.revision; a gated model also looks like this without a token.',
  ),
  MODEL_GATED: entry(
    'never',
    stepFailed,
    (d) => `the model ${text(d['model'])} is gated: the hub wants a token that has been granted access`,
    () => 'Accept its licence on the hub and set secrets.huggingFaceToken.',
  ),
  MODEL_INCOMPLETE: entry(
    'never',
    stepFailed,
    (d) => `the model folder ${text(d['path'])} is not complete: ${text(d['difference'])}`,
  ),
  MODEL_PICKLED: entry(
    'never',
    stepFailed,
    (d) =>
      `the weights of ${text(d['model'])} are not safetensors but ${text(d['file'])}, and loading that can run code`,
    () => 'Use a revision with safetensors, or set model.allowPickle where you trust its author.',
  ),
  MODEL_FOREIGN: entry(
    'never',
    stepFailed,
    (d) =>
      `the model folder ${text(d['path'])} can be changed by others: it belongs to uid ${text(d['uid'])}, mode ${text(d['mode'])}`,
    () => 'Let it belong to root or to the user who serves, and let nobody else write to it.',
  ),

  // Gang
  PORT_TAKEN: entry(
    'person',
    waitingForPerson,
    (d) => `TCP ${text(d['port'])} is held by ${text(d['by'])}, which windlass did not start`,
    () => 'Stop it; or end the run and choose another port in the cluster file.',
  ),
  RAY_FAILED: entry(
    'gang',
    stepFailed,
    (d) => `Ray does not run: ${text(d['evidence'])}`,
    (d) => `Log: ${text(d['log'])}`,
  ),
  RAY_HEAD_UNREACHABLE: entry(
    'gang',
    stepFailed,
    (d) => `the Ray head ${text(d['address'])} does not answer from this node: ${text(d['reason'])}`,
    () => 'Open all TCP ports between the cluster addresses.',
  ),
  RAY_COUNT: entry(
    'gang',
    stepFailed,
    (d) => `Ray does not show exactly the wanted nodes: ${text(d['difference'])}`,
  ),
  ENGINE_EXITED: entry(
    'gang',
    stepFailed,
    (d) =>
      `the engine stopped while ${text(d['phase'])}, ${text(d['after'])} after its start (exit ${text(d['exit'])}): ${text(d['evidence'])}`,
    (d) => `Log: ${text(d['log'])}`,
  ),
  ENGINE_REFUSED: entry(
    'never',
    stepFailed,
    (d) => `the engine refused its arguments: ${text(d['evidence'])}`,
    () => 'Correct serving in the cluster file.',
  ),
  ENGINE_STUCK: entry(
    'gang',
    stepFailed,
    (d) => `the engine is stuck while ${text(d['phase'])}: ${text(d['why'])}`,
    (d) =>
      `Log: ${text(d['log'])}.${d['phase'] === 'serving' ? '' : ' If this machine is only slow: engine.patience in the cluster file.'}`,
  ),
  SMOKE_FAILED: entry('gang', stepFailed, (d) => `the smoke test did not pass: ${text(d['evidence'])}`),
  WRONG_MODEL_SERVED: entry(
    'never',
    stepFailed,
    (d) => `the server on ${text(d['address'])} serves ${text(d['found'])}, not ${text(d['expected'])}`,
    () => 'Another server holds the port, or the served name differs.',
  ),
  RANK_MISSING: entry(
    'gang',
    stepFailed,
    (d) => `${text(d['ranks'])} of ${text(d['wanted'])} ranks run in ${text(d['unit'])} on this node`,
    () => 'windlass logs -f shows what the engine says; windlass up starts the gang again.',
  ),
  STOP_FAILED: entry(
    'few',
    stepFailed,
    (d) => `${text(d['what'])} is still there after the stop: ${text(d['evidence'])}`,
  ),
  CIRCUIT_OPEN: entry(
    'person',
    waitingForPerson,
    (d) => `the keeper starts the gang no more: ${text(d['why'])}`,
    () =>
      'windlass logs -f shows what the engine said. When it is mended, windlass retry or windlass up starts the gang again.',
  ),

  // Temporal and the run
  TEMPORAL_UNREACHABLE: entry(
    'act',
    temporalUnreachable,
    (d) => `no Temporal service answers at ${text(d['address'])}: ${text(d['reason'])}`,
    () => 'windlass home shows where it lives, windlass home --start starts it.',
  ),
  HOME_FAILED: entry(
    'never',
    stepFailed,
    (d) => `the home did not start: ${text(d['evidence'])}`,
    (d) => `Log: ${text(d['log'])}`,
  ),
  NO_HOME: entry(
    'never',
    stepFailed,
    (d) => `there is no windlass home on ${text(d['node'])}`,
    () => 'windlass up makes one.',
  ),
  HOME_MISSING: entry(
    'never',
    stepFailed,
    (d) => `there is no windlass home on ${text(d['head'])} that could stop what runs on ${text(d['on'])}`,
    () => 'windlass up makes one, windlass down --purge does without.',
  ),
  RUN_BUSY: entry(
    'never',
    stepFailed,
    (d) =>
      `${text(d['workflow'])} already runs with another spec (run ${text(d['run'])}, started ${text(d['since'])})`,
    () => 'Wait for it, or end it with windlass cancel.',
  ),
  RUN_STUCK: entry(
    'never',
    waitingForPerson,
    (d) =>
      `${text(d['workflow'])} stands still: ` +
      (d['isUnanswered'] === true
        ? text(d['reason'])
        : `no windlass placed at its home goes on with it (${text(d['reason'])})`),
    (d) =>
      (d['isUnanswered'] === true
        ? 'On the head, journalctl --user -u windlass-control says why; it goes on once that unit runs. '
        : 'It goes on once one that can is placed again. ') +
      'Or give it up: ' +
      `temporal workflow terminate -n ${text(d['namespace'])} -w ${text(d['workflow'])}; ` +
      'the next windlass up finds what was done.',
  ),
  NOTHING_WAITS: entry(
    'never',
    stepFailed,
    (d) => `${text(d['what'])} waits for nobody`,
    () => 'Nothing was sent. windlass status shows what is true now.',
  ),
  NOTHING_RUNS: entry(
    'never',
    stepFailed,
    (d) => `no run of ${text(d['cluster'])} is under way`,
    () => 'There is nothing to cancel. windlass down stops what serves.',
  ),
  NOT_APPROVABLE: entry(
    'never',
    stepFailed,
    (d) => `going on despite it would not help: ${text(d['what'])}`,
    () => 'Nothing was sent. Mend it, then run windlass retry; or give up with windlass cancel.',
  ),
  RUN_LOST: entry(
    'never',
    stepFailed,
    () => 'the home does not know this run any more: its store was lost',
    () => 'windlass up finds what was done, and goes on from there.',
  ),
  RUN_CANCELLED: entry('never', stepFailed, () => 'the run was cancelled'),
  DOWNGRADE: entry(
    'never',
    usage,
    (d) => `the node has version ${text(d['installed'])}, this program is ${text(d['own'])}`,
    () => 'Use the newer program.',
  ),
  INTERNAL: entry('never', stepFailed, (d) => text(d['message'])),
} as const satisfies Record<string, CodeEntry>;

export type ErrorCode = keyof typeof codes;

/** What an error carries from a node to the person who reads it; at most 4 KiB, already redacted. */
export interface ErrorDetails {
  readonly code: ErrorCode;
  readonly data: Data;
  readonly node?: string;
  readonly step?: string;
}

/** The one error class. Its message is the summary; `advice` says what to do. */
export class WindlassError extends Error {
  readonly code: ErrorCode;
  readonly data: Data;
  node?: string;
  step?: string;

  constructor(code: ErrorCode, data: Data = {}, options?: ErrorOptions) {
    super(codes[code].summary(data), options);
    this.name = 'WindlassError';
    this.code = code;
    this.data = data;
  }

  get advice(): string {
    return codes[this.code].advice(this.data);
  }

  get retryable(): boolean {
    return !['never', 'person'].includes(codes[this.code].retry);
  }

  get exitCode(): number {
    return codes[this.code].exitCode;
  }

  get details(): ErrorDetails {
    return {
      code: this.code,
      data: this.data,
      ...(this.node !== undefined && { node: this.node }),
      ...(this.step !== undefined && { step: this.step }),
    };
  }
}

/** Make an error by its code; `throw fail(…)` reads as a sentence. */
export function fail(code: ErrorCode, data: Data = {}, cause?: unknown): WindlassError {
  return new WindlassError(code, data, cause === undefined ? undefined : { cause });
}

/** Is this string one of our codes? Failures that crossed Temporal carry the code as their type. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(codes, value);
}

/** Several errors at once: what failed on each of several nodes. */
export class Problems extends Error {
  readonly errors: readonly WindlassError[];

  constructor(errors: readonly WindlassError[]) {
    super(errors.map((error) => error.message).join('; '));
    this.name = 'Problems';
    this.errors = errors;
  }

  /** A person is needed if any of them needs one; else the first decides. */
  get exitCode(): number {
    const all = this.errors.map((error) => error.exitCode);
    return all.includes(Exit.waitingForPerson) ? Exit.waitingForPerson : (all[0] ?? Exit.stepFailed);
  }
}

/** Wait for all; throw every error of ours at once, each with the name of its node. */
export async function collectProblems<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(work);
  const reasons = settled.flatMap((each) => (each.status === 'rejected' ? [asError(each.reason)] : []));
  const own = reasons.filter((reason) => reason instanceof WindlassError);
  const [bug] = reasons.filter((reason) => !(reason instanceof WindlassError));
  if (bug !== undefined) throw bug;
  const [first] = own;
  if (first !== undefined) throw own.length === 1 ? first : new Problems(own);
  return settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}

/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
