import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { run } from '../../../src/process/run.ts';
import { until } from '../../support/sshd.ts';

const shell = (script: string, ...args: string[]) => ({ file: 'sh', args: ['-c', script, 'sh', ...args] });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('run', () => {
  test('returns output and exit code, and does not throw for a failure', async () => {
    const result = await run(shell('echo out; echo err >&2; exit 3'));
    expect(result).toMatchObject({ exitCode: 3, stdout: 'out\n', stderr: 'err\n', timedOut: false });
  });

  test('hands every argument over as it is', async () => {
    const words = ['$(touch /tmp/pwn)', '`id`', "'; id; '", 'a\nb', '', '-x', '\u001B[2J', '北京'];
    const result = await run({ file: 'printf', args: ['%s\\0', ...words] });
    expect(result.stdout.split('\0').slice(0, -1)).toEqual(words);
  });

  test('sets variables beside the inherited ones, or alone', async () => {
    const command = { file: '/usr/bin/env', args: [], env: { WINDLASS_A: 'x\ny' } };
    const inherited = await run(command);
    expect(inherited.stdout).toContain('WINDLASS_A=x\ny\n');
    expect(inherited.stdout).toMatch(/^PATH=/m);
    const alone = await run(command, { inheritEnv: false });
    expect(alone.stdout).toBe('WINDLASS_A=x\ny\n');
  });

  test('writes the input, and survives a command that does not read it', async () => {
    expect((await run({ file: 'cat', args: [] }, { input: 'abc' })).stdout).toBe('abc');
    expect((await run({ file: 'cat', args: [] })).stdout).toBe('');
    expect((await run({ file: 'true', args: [] }, { input: 'x'.repeat(1_000_000) })).exitCode).toBe(0);
  });

  test('kills the whole process group of a command that takes too long', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'windlass-run-'));
    const result = await run(shell('sleep 60 & echo $! > "$1/pid"; wait', folder), { timeoutMs: 400 });
    expect(result).toMatchObject({ timedOut: true, exitCode: undefined, signal: 'SIGTERM' });
    const grandchild = Number(await readFile(join(folder, 'pid'), 'utf8'));
    await until('the grandchild is gone', () => !isAlive(grandchild));
    await rm(folder, { recursive: true });
  });

  test('kills a command that ignores SIGTERM', async () => {
    const result = await run(shell('trap "" TERM; sleep 60 & while :; do wait; done'), { timeoutMs: 200 });
    expect(result).toMatchObject({ timedOut: true, signal: 'SIGKILL' });
  });

  test('stops on abort, at once when it was aborted before', async () => {
    const late = await run(shell('sleep 60 & wait'), { signal: AbortSignal.timeout(200) });
    expect(late).toMatchObject({ isCancelled: true, signal: 'SIGTERM' });
    const early = await run({ file: 'touch', args: ['/nonexistent/never'] }, { signal: AbortSignal.abort() });
    expect(early).toMatchObject({ isCancelled: true, exitCode: undefined });
  });

  test('keeps the first bytes of a flood and ends it', async () => {
    const result = await run({ file: 'yes', args: [] }, { maxBytes: 1000 });
    expect(result.isMaxBuffer).toBe(true);
    expect(result.stdout).toHaveLength(1000);
  });

  test('does not wait for a child that was left behind with our pipes', async () => {
    const started = performance.now();
    const result = await run(shell('echo done; sleep 60 & exit 4'));
    expect(result).toMatchObject({ exitCode: 4, stdout: 'done\n' });
    // Long before the child ends, on a machine however slow.
    expect(performance.now() - started).toBeLessThan(45_000);
  });

  test('tells a missing program from a failing one', async () => {
    const result = await run({ file: 'windlass-no-such-program', args: [] });
    expect(result).toMatchObject({ startFailure: 'ENOENT', exitCode: undefined });
  });
});
