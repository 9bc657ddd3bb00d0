/**
 * Runs a command on a node and says how it ended, which over ssh is one of three: it exited, a signal ended it, or
 * the connection was lost and nobody knows. A missing exit code is never read as success.
 */
import type { ClientChannel } from 'ssh2';
import { type Collected, collectOutput } from '../process/collect.ts';
import { type Command, renderCommand } from '../process/command.ts';

export interface ExecOptions {
  /** Written to the command's standard input, which is closed afterwards. */
  readonly input?: string | Uint8Array;
  /** After this the command is given up (it may go on there); 60 s unless told. */
  readonly timeoutMs?: number;
  /** Bytes kept of each output; a command that writes more is given up. 4 MiB unless told. */
  readonly maxBytes?: number;
}

export interface ExecResult {
  /** `lost`: the connection ended, or we gave up (timedOut, isMaxBuffer): whether it ran to its end is unknown. */
  readonly verdict: 'exited' | 'signalled' | 'lost';
  readonly exitCode?: number;
  readonly signal?: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly isMaxBuffer: boolean;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;
// A child left behind may hold the output open for ever; after this much silence we ask whether that was all.
const LINGER_MS = 500;

/** What a command needs of its connection. */
export interface Sessions {
  readonly isOpen: boolean;
  /** `onOpen` is called at the moment in which the session opens, before anything that it says is read. */
  openSession(line: string, onOpen?: (channel: ClientChannel) => void): Promise<ClientChannel>;
}

/** Run a command over a connection. Throws USAGE for one that cannot be run, REMOTE_COMMAND when the server refuses a session. */
export async function execOn(
  connection: Sessions,
  command: Command,
  options: ExecOptions,
): Promise<ExecResult> {
  const line = renderCommand(command);
  const { timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_MAX_BYTES } = options;
  const deadline = new Deadline(timeoutMs);
  try {
    const exit = new Exit();
    const opening = connection.openSession(line, exit.watch);
    const channel = await Promise.race([opening, deadline.passed]);
    if (channel === 'late') {
      void closeWhenOpen(opening);
      return { ...LOST, timedOut: true };
    }
    return await followChannel(connection, channel, { ...options, maxBytes, deadline, exit });
  } catch (error) {
    if (connection.isOpen) throw error;
    return LOST;
  } finally {
    deadline.cancel();
  }
}

const LOST: ExecResult = { verdict: 'lost', stdout: '', stderr: '', timedOut: false, isMaxBuffer: false };

/** A session that opens after nobody waits for it any more. */
async function closeWhenOpen(opening: Promise<ClientChannel>): Promise<void> {
  const channel = await opening.catch(() => undefined);
  channel?.resume();
  channel?.close();
}

interface Following extends ExecOptions {
  readonly maxBytes: number;
  readonly deadline: Deadline;
  readonly exit: Exit;
}

type End = Pick<ExecResult, 'verdict' | 'exitCode' | 'signal'>;

async function followChannel(
  connection: Sessions,
  channel: ClientChannel,
  options: Following,
): Promise<ExecResult> {
  const overflow = new Overflow();
  const stdout = collectOutput(channel, options.maxBytes, overflow.report);
  const stderr = collectOutput(channel.stderr, options.maxBytes, overflow.report);
  const end = endOf(channel, options.exit, () => deliveredAll(connection, [stdout, stderr]));
  channel.end(options.input ?? '');
  const outcome = await Promise.race([end, overflow.happened, options.deadline.passed]);
  channel.close();
  return {
    ...(typeof outcome === 'string' ? { verdict: 'lost' } : outcome),
    stdout: stdout.text(),
    stderr: stderr.text(),
    timedOut: outcome === 'late',
    isMaxBuffer: outcome === 'too much',
  };
}

/** Either of two outputs may be the one that is too long. */
class Overflow {
  readonly happened: Promise<'too much'>;
  report: () => void = () => undefined;

  constructor() {
    this.happened = new Promise((resolve) => {
      this.report = (): void => {
        resolve('too much');
      };
    });
  }
}

/** How the command ended. `close` is the usual sign; after `exit` alone, that all its output has come. */
function endOf(channel: ClientChannel, exit: Exit, hasAllOutput: () => Promise<void>): Promise<End> {
  const closed = new Promise<End>((resolve) => {
    channel.once('close', (code?: number | null, signal?: string) => {
      resolve(ending(code, signal));
    });
  });
  const drained = async (): Promise<End> => {
    const end = await exit.told;
    await hasAllOutput();
    return end;
  };
  return Promise.race([closed, drained()]);
}

/** A command may end so fast that its exit comes in one packet with the opening: it is watched from that moment on. */
class Exit {
  readonly told: Promise<End>;
  watch: (channel: ClientChannel) => void = () => undefined;

  constructor() {
    this.told = new Promise((resolve) => {
      this.watch = (channel): void => {
        channel.once('exit', (code: number | null, signal?: string) => {
          resolve(ending(code, signal));
        });
      };
    });
  }
}

function ending(code: number | null | undefined, signal: string | undefined): End {
  if (typeof code === 'number') return { verdict: 'exited', exitCode: code };
  if (signal !== undefined) return { verdict: 'signalled', signal };
  return { verdict: 'lost' };
}

/** Resolve when nothing more came in after the server, which keeps the order, answered something asked later. */
async function deliveredAll(connection: Sessions, outputs: readonly Collected[]): Promise<void> {
  const seen = (): number => outputs.reduce((sum, output) => sum + output.bytes, 0);
  for (let before = -1; before !== seen();) {
    before = seen();
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
    if (!connection.isOpen) return;
    const probe = await connection.openSession('exec true').catch(() => undefined);
    probe?.resume();
    probe?.close();
  }
}

/** A deadline that can be raced and, once nobody waits any more, taken back. */
class Deadline {
  readonly passed: Promise<'late'>;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.passed = new Promise((resolve) => {
      this.#timer = setTimeout(resolve, ms, 'late');
    });
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
