/**
 * Runs one program for a systemd unit. The ledger line is written here, by the process that makes the change, so that
 * the ledger says what was really begun, whatever happened to the worker that asked for it.
 */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { finished, pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { appendLine, writeFileAtomic } from './files.ts';
import { LogFile } from './log-file.ts';
import { redactionStream } from './redact.ts';

/** `runs/<unit>/unit.json`. No secret stands in it; `secretFiles` name what must be masked in the log. */
export const UnitSpec = z.object({
  unit: z.string(),
  generation: z.string(),
  step: z.string(),
  run: z.string(),
  file: z.string(),
  args: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  cwd: z.string(),
  log: z.string(),
  result: z.string(),
  ledger: z.string(),
  secretFiles: z.array(z.string()),
});
export type UnitSpec = z.infer<typeof UnitSpec>;

/** Run the program that a unit file names until it ends. Returns the exit code to end with. */
export async function superviseUnit(specPath: string): Promise<number> {
  const spec = UnitSpec.parse(JSON.parse(await readFile(specPath, 'utf8')));
  const startedAt = Date.now();
  const note = (what: string, more: object = {}) =>
    appendLine(
      spec.ledger,
      JSON.stringify({
        at: Date.now(),
        run: spec.run,
        step: spec.step,
        unit: spec.unit,
        generation: spec.generation,
        what,
        ...more,
      }),
    );
  await note('began');
  const secrets = await Promise.all(
    spec.secretFiles.map((path) => readFile(path, 'utf8').then((text) => text.trim())),
  );
  const ended = await runProgram(
    spec,
    secrets.filter((secret) => secret.length > 0),
  );
  const result = { ...ended, startedAt, endedAt: Date.now() };
  await writeFileAtomic(spec.result, JSON.stringify(result), { mode: 0o600 });
  await note('ended', { exitCode: ended.exitCode, signal: ended.signal });
  return ended.exitCode ?? 128 + (ended.signal === null ? 0 : constants.signals[ended.signal]);
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

async function runProgram(spec: UnitSpec, secrets: readonly string[]): Promise<Ended> {
  const child = spawn(spec.file, spec.args, {
    cwd: spec.cwd,
    env: spec.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const forward = (signal: NodeJS.Signals) => () => void child.kill(signal);
  process.on('SIGTERM', forward('SIGTERM')).on('SIGINT', forward('SIGINT'));
  const log = new LogFile(spec.log);
  const ended = new Promise<Ended>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      appendFileSync(
        spec.log,
        `windlass: ${spec.file} could not be started: ${error.code ?? error.message}\n`,
      );
      resolve({ exitCode: 127, signal: null });
    });
    child.once('exit', (exitCode, signal) => {
      resolve({ exitCode, signal });
    });
  });
  // Both streams append to one file; each chunk is one write, so lines of the two never mix within a chunk.
  const masked = [child.stdout, child.stderr].map((printed) => ({
    printed,
    redaction: redactionStream(secrets),
  }));
  const drained = Promise.allSettled(
    masked.map(({ printed, redaction }) => pipeline(printed, redaction, log, { end: false })),
  );
  const written = async (): Promise<void> => {
    // What was held back, since it might have been the beginning of a secret, too.
    await Promise.allSettled(masked.map(({ redaction }) => finished(redaction.end())));
    await new Promise<void>((resolve) => void log.end(resolve));
  };
  const result = await ended;
  // A grandchild may hold the pipe for ever; what the program itself wrote is there within a moment.
  await Promise.race([drained, later(2_000)]);
  // On a slow disk it takes its time.
  await Promise.race([written(), later(10_000)]);
  return result;
}
