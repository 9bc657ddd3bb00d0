/** Commands that must succeed, and scripts of ours, over a connection that is open. */
import { randomBytes } from 'node:crypto';
import { fail } from '../errors.ts';
import { type Command, displayCommand } from '../process/command.ts';
import { escapeLines } from '../process/escape.ts';
import { tail } from '../process/run.ts';
import type { SshConnection } from './connection.ts';
import type { ExecOptions, ExecResult } from './session.ts';

const EVIDENCE_LIMIT = 4 * 1024;

/**
 * Run a command that must exit with 0 and return its result. Throws SSH_LOST when nobody knows how it ended,
 * REMOTE_COMMAND with at most 4 KiB of what it said otherwise.
 */
export async function execOk(
  connection: SshConnection,
  command: Command,
  options: ExecOptions = {},
): Promise<ExecResult> {
  return requireSuccess(connection, displayCommand(command), await connection.exec(command, options));
}

/** Return the result if it is a success, else throw as execOk does. */
export function requireSuccess(connection: SshConnection, what: string, result: ExecResult): ExecResult {
  if (result.verdict === 'exited' && result.exitCode === 0) return result;
  if (result.verdict === 'lost' && !result.timedOut && !result.isMaxBuffer)
    throw connection.lost(`during ${what}`);
  const said = result.stderr.trim() === '' ? result.stdout : result.stderr;
  throw fail('REMOTE_COMMAND', {
    host: connection.target.host,
    command: what,
    ended: explainEnd(result),
    evidence: tail(escapeLines(said.trim()), EVIDENCE_LIMIT),
  });
}

function explainEnd(result: ExecResult): string {
  if (result.timedOut) return 'no end in time';
  if (result.isMaxBuffer) return 'too much output';
  return result.verdict === 'signalled'
    ? `signal ${result.signal ?? '?'}`
    : `exit code ${result.exitCode ?? '?'}`;
}

/**
 * Run one of our script files there with `sh`. It is read whole before its first line runs, its standard input is
 * empty, and only what the script itself printed is returned: what a login shell says at its start is dropped.
 * Throws REMOTE_COMMAND when no shell took the script.
 */
export async function execScript(
  connection: SshConnection,
  script: string,
  args: readonly string[] = [],
  options: Omit<ExecOptions, 'input'> = {},
): Promise<ExecResult> {
  const marker = `windlass-${randomBytes(16).toString('hex')}`;
  const command = { file: 'sh', args: ['-s', '--', ...args] };
  const result = await connection.exec(command, { ...options, input: framed(script, marker) });
  const begin = `\n${marker} begin\n`;
  const start = result.stdout.indexOf(begin);
  if (start === -1 && result.verdict === 'exited') {
    throw fail('REMOTE_COMMAND', {
      host: connection.target.host,
      command: 'sh -s',
      ended: `exit code ${result.exitCode ?? '?'} before the script began`,
      evidence: tail(escapeLines(`${result.stdout}${result.stderr}`.trim()), EVIDENCE_LIMIT),
    });
  }
  const end = result.stdout.lastIndexOf(`\n${marker} end\n`);
  const isCut = end === -1 && result.verdict === 'exited';
  return {
    ...result,
    ...(isCut && { verdict: 'lost' as const }),
    stdout: start === -1 ? '' : result.stdout.slice(start + begin.length, end === -1 ? undefined : end),
    stderr: afterMarker(result.stderr, begin),
  };
}

/** A function body, so that a script that arrives cut off is a syntax error and not a half-done act. */
const framed = (script: string, marker: string): string => `windlass_script() {
${script}
}
printf '\\n%s begin\\n' ${marker}
printf '\\n%s begin\\n' ${marker} >&2
( windlass_script "$@" ) </dev/null
windlass_status=$?
printf '\\n%s end\\n' ${marker}
exit $windlass_status
`;

function afterMarker(text: string, marker: string): string {
  const at = text.indexOf(marker);
  return at === -1 ? text : text.slice(at + marker.length);
}
