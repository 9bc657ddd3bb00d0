/**
 * Runs a command on this machine: no shell, bounded in time and output, in a process group of its own that is
 * killed as a whole. Killing only the child would leave its children alive and holding our pipes.
 */
import { execa } from 'execa';
import { collectOutput } from './collect.ts';
import { type Command, assertRunnable } from './command.ts';

export interface RunOptions {
  /** Written to the standard input, which is closed afterwards; without it the input is empty. */
  readonly input?: string | Uint8Array;
  /** The command is killed after this many milliseconds; 60 s unless told. */
  readonly timeoutMs?: number;
  /** Bytes kept of each output; a command that writes more is killed. 4 MiB unless told. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /** Does the command inherit this process's environment? Yes unless told. */
  readonly inheritEnv?: boolean;
}

export interface RunResult {
  /** Undefined when the command was killed or could not be started. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly isMaxBuffer: boolean;
  readonly isCancelled: boolean;
  /** Why the command could not be started: ENOENT, EACCES and the like. */
  readonly startFailure: string | undefined;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;
// Long enough for uv, Ray and git to remove their temporary files after SIGTERM.
const TERM_GRACE_MS = 2_000;
// A child left behind may hold our pipes for ever; after this much silence its parent's exit is the end.
const LINGER_MS = 500;

/** Run the command and return how it ended; only a command that no system could run (USAGE) throws. */
export async function run(command: Command, options: RunOptions = {}): Promise<RunResult> {
  assertRunnable(command);
  const { timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_MAX_BYTES, signal } = options;
  const why = { timedOut: false, isMaxBuffer: false, isCancelled: false };
  if (signal?.aborted === true) return { ...NOT_STARTED, isCancelled: true };

  const child = start(command, options);
  const group = new ProcessGroup(child.pid);
  const stopFor = (reason: keyof typeof why) => (): void => {
    why[reason] = true;
    group.stop();
  };
  const onAbort = stopFor('isCancelled');
  const timer = setTimeout(stopFor('timedOut'), timeoutMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  const stdout = collectOutput(child.stdout, maxBytes, stopFor('isMaxBuffer'));
  const stderr = collectOutput(child.stderr, maxBytes, stopFor('isMaxBuffer'));
  try {
    const end = await Promise.race([settled(child), abandoned(child, () => stdout.bytes + stderr.bytes)]);
    return { ...end, ...why, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    group.release();
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** Return the last characters of a text, cut at a line where there is one. */
export function tail(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const cut = text.slice(-limit);
  const line = cut.indexOf('\n');
  return line === -1 || line > limit / 2 ? cut : cut.slice(line + 1);
}

type End = Pick<RunResult, 'exitCode' | 'signal' | 'startFailure'>;

const NOT_STARTED: RunResult = {
  exitCode: undefined,
  signal: undefined,
  stdout: '',
  stderr: '',
  timedOut: false,
  isMaxBuffer: false,
  isCancelled: false,
  startFailure: undefined,
};

// `detached` makes the child the leader of its own process group, which is what ProcessGroup kills.
const start = (command: Command, options: RunOptions) =>
  execa(command.file, command.args, {
    ...(command.cwd !== undefined && { cwd: command.cwd }),
    env: command.env ?? {},
    extendEnv: options.inheritEnv ?? true,
    input: options.input ?? '',
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
  });

type Child = ReturnType<typeof start>;

async function settled(child: Child): Promise<End> {
  const result = await child;
  return {
    exitCode: result.exitCode,
    signal: result.signal,
    startFailure: result.exitCode === undefined && result.signal === undefined ? result.code : undefined,
  };
}

/** Resolve when the child has ended but something it left behind keeps its pipes open and silent. */
function abandoned(child: Child, bytes: () => number): Promise<End> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      let seen = bytes();
      const timer = setInterval(() => {
        if (child.stdout.readableEnded && child.stderr.readableEnded) {
          clearInterval(timer);
        } else if (bytes() === seen) {
          clearInterval(timer);
          resolve({ exitCode: code ?? undefined, signal: signal ?? undefined, startFailure: undefined });
        }
        seen = bytes();
      }, LINGER_MS);
    });
  });
}

const liveGroups = new Set<ProcessGroup>();
process.on('exit', () => {
  for (const group of liveGroups) group.kill('SIGKILL');
});

/** The process group of one child: asked to end once, and killed when it does not. */
class ProcessGroup {
  readonly #pid: number | undefined;
  #killTimer: NodeJS.Timeout | undefined;

  constructor(pid: number | undefined) {
    this.#pid = pid;
    liveGroups.add(this);
  }

  stop(): void {
    if (this.#killTimer !== undefined) return;
    this.kill('SIGTERM');
    this.#killTimer = setTimeout(() => {
      this.kill('SIGKILL');
    }, TERM_GRACE_MS);
  }

  /** The command has ended. If it was being stopped, nothing of its group may outlive it. */
  release(): void {
    if (this.#killTimer !== undefined) {
      clearTimeout(this.#killTimer);
      this.kill('SIGKILL');
    }
    liveGroups.delete(this);
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#pid === undefined) return;
    try {
      process.kill(-this.#pid, signal);
    } catch {
      // ESRCH: the group has ended by itself.
    }
  }
}
