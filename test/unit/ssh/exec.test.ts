/** How a command on a node ended, and that what nobody knows is never taken for success. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type SshConnection, connect } from '../../../src/ssh/connection.ts';
import { execOk, execScript } from '../../../src/ssh/exec.ts';
import { until } from '../../support/sshd.ts';
import { type SshdInProcess, startSshdInProcess } from '../../support/sshd-in-process.ts';

let sshd: SshdInProcess;
let connection: SshConnection;
beforeAll(async () => {
  sshd = await startSshdInProcess();
});
beforeEach(async () => {
  connection = await connect(await sshd.target());
});
afterEach(() => {
  sshd.refuse(undefined);
  connection.close();
});
afterAll(() => sshd.stop());

const shell = (script: string, ...args: string[]) => ({ file: 'sh', args: ['-c', script, 'sh', ...args] });

describe('exec', () => {
  test('a command that exits, with its code and both outputs', async () => {
    expect(await connection.exec(shell('echo out; echo err >&2; exit 3'))).toEqual({
      verdict: 'exited',
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
      timedOut: false,
      isMaxBuffer: false,
    });
  });

  test('a command that a signal ends has no exit code', async () => {
    const result = await connection.exec(shell('kill -KILL $$'));
    expect(result).toMatchObject({ verdict: 'signalled', signal: 'SIGKILL' });
    expect(result.exitCode).toBeUndefined();
  });

  test('its input arrives whole, and arguments arrive as they are', async () => {
    const input = Buffer.alloc(3_000_000, 'windlass\0');
    expect(await connection.exec({ file: 'wc', args: ['-c'] }, { input })).toMatchObject({
      stdout: '3000000\n',
    });
    const args = ["'; touch /tmp/pwn; '", '$(id)', '`id`', 'a\nb', '"\\', '', '-n', '*'];
    const { stdout } = await connection.exec({ file: 'printf', args: ['%s\\0', ...args] });
    expect(stdout.split('\0')).toEqual([...args, '']);
  });

  test('a large output comes whole', async () => {
    const { stdout } = await connection.exec(shell('head -c 3000000 /dev/zero | tr "\\0" x'));
    expect(stdout).toHaveLength(3_000_000);
  });

  test('a command that writes without end is given up, with what was kept', async () => {
    const result = await connection.exec({ file: 'yes', args: [] }, { maxBytes: 1_000 });
    expect(result).toMatchObject({ verdict: 'lost', isMaxBuffer: true, timedOut: false });
    expect(result.stdout).toHaveLength(1_000);
    await expect(execOk(connection, { file: 'yes', args: [] }, { maxBytes: 1_000 })).rejects.toMatchObject({
      code: 'REMOTE_COMMAND',
      message: expect.stringContaining('yes ended with too much output: y'),
    });
  });

  test('a command that does not end is given up, and the connection lives on', async () => {
    const command = shell('echo begun; exec sleep 60');
    const result = await connection.exec(command, { timeoutMs: 300 });
    expect(result).toMatchObject({ verdict: 'lost', timedOut: true, stdout: 'begun\n' });
    expect(result.exitCode).toBeUndefined();
    await expect(execOk(connection, command, { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'REMOTE_COMMAND',
      data: { ended: 'no end in time' },
    });
    expect(await connection.exec({ file: 'true', args: [] })).toMatchObject({ exitCode: 0 });
  });

  test('a line that is cut in the middle: nobody knows how it ended', async () => {
    const running = connection.exec(shell('echo begun; cat'), { input: 'x'.repeat(100) });
    const waiting = connection.exec(shell('exec sleep 60'));
    await until('the commands run', () => sshd.seen.commands.at(-1)?.includes('sleep 60') === true);
    sshd.cut();
    const results = await Promise.all([running, waiting]);
    expect(results[1]).toMatchObject({ verdict: 'lost', timedOut: false, isMaxBuffer: false });
    expect(results[1].exitCode).toBeUndefined();
    const after = await connection.exec({ file: 'true', args: [] });
    expect(after).toMatchObject({ verdict: 'lost', stdout: '' });
    await expect(execOk(connection, { file: 'true', args: [] })).rejects.toMatchObject({
      code: 'SSH_LOST',
      retryable: true,
      message: expect.stringMatching(/^the connection to 127\.0\.0\.1 was lost during true \(.+\)$/),
    });
  });

  test('a child that is left behind does not hold up the end, and no output is lost', async () => {
    const started = performance.now();
    const result = await connection.exec(shell('sleep 60 & echo all; exit 4'));
    expect(result).toMatchObject({ verdict: 'exited', exitCode: 4, stdout: 'all\n' });
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('a server that takes no command is an error and not a verdict', async () => {
    sshd.refuse('sessions');
    await expect(connection.exec({ file: 'true', args: [] })).rejects.toMatchObject({
      code: 'REMOTE_COMMAND',
      data: { ended: 'a refused session' },
    });
  });

  test('a command that no shell can run is told before anything is sent', async () => {
    const before = sshd.seen.commands.length;
    await expect(connection.exec({ file: 'echo', args: ['a\0b'] })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(connection.exec({ file: '-x', args: [] })).rejects.toMatchObject({ code: 'USAGE' });
    expect(sshd.seen.commands).toHaveLength(before);
  });
});

describe('execOk', () => {
  test('returns what was said, or says what went wrong, escaped and bounded', async () => {
    expect(await execOk(connection, { file: 'echo', args: ['fine'] })).toMatchObject({ stdout: 'fine\n' });
    const failure: unknown = await execOk(
      connection,
      shell('yes "noise noise" | head -n 5000 >&2; printf "the end \\033[2J" >&2; exit 9'),
    ).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'REMOTE_COMMAND',
      data: { ended: 'exit code 9', host: '127.0.0.1' },
    });
    const { evidence } = (failure as { data: { evidence: string } }).data;
    expect(evidence.length).toBeLessThanOrEqual(4096);
    expect(evidence).toMatch(/the end \S*\[2J$/);
    expect(evidence).not.toContain('\u001B');
  });

  test('names the signal that ended a command', async () => {
    await expect(execOk(connection, shell('kill -TERM $$'))).rejects.toMatchObject({
      code: 'REMOTE_COMMAND',
      data: { ended: 'signal SIGTERM' },
    });
  });
});

describe('execScript', () => {
  test('runs a script with arguments, whose input is empty', async () => {
    const result = await execScript(connection, 'cat; printf "%s|" "$@"; echo oops >&2; exit 5', [
      'a b',
      "it's",
      '',
    ]);
    expect(result).toMatchObject({ verdict: 'exited', exitCode: 5, stdout: "a b|it's||", stderr: 'oops\n' });
  });

  test('drops what a login shell says before and after', async () => {
    const noisy = await startSshdInProcess({ before: 'echo welcome; echo motd >&2;' });
    const other = await connect(await noisy.target());
    expect(await execScript(other, 'echo answer; echo why >&2')).toMatchObject({
      exitCode: 0,
      stdout: 'answer\n',
      stderr: 'why\n',
    });
    other.close();
    await noisy.stop();
  });

  test('a shell that ends before the script began is an error with what it said', async () => {
    const broken = await startSshdInProcess({ before: 'echo This account is not available; exit 1;' });
    const other = await connect(await broken.target());
    await expect(execScript(other, 'echo answer')).rejects.toMatchObject({
      code: 'REMOTE_COMMAND',
      message: 'sh -s ended with exit code 1 before the script began: This account is not available',
    });
    other.close();
    await broken.stop();
  });

  test('a script that its shell does not survive is not taken for one that ended', async () => {
    const result = await execScript(connection, 'echo half; kill -KILL $$; exit 0');
    expect(result).toMatchObject({ verdict: 'signalled', stdout: 'half\n' });
  });

  test('a script whose line is cut is lost, even if it had an answer', async () => {
    const done = join(sshd.folder, 'done');
    const running = execScript(connection, 'echo half; : > "$1"; exec sleep 60', [done]);
    await until('the script runs', () => existsSync(done));
    sshd.cut();
    const result = await running;
    expect(result).toMatchObject({ verdict: 'lost', timedOut: false });
    expect(['', 'half\n']).toContain(result.stdout);
  });
});
