/**
 * Runs a program of this machine and says what went wrong in its own words, and waits for conditions.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { execa, type Options } from 'execa';

/** Receives one sentence for people about what is being done. */
export type Log = (sentence: string) => void;

/** Run a program to its end and return its standard output; throw with its standard error where it fails. */
export async function run(file: string, args: readonly string[], options: Options = {}): Promise<string> {
  const { stdout } = await execa(file, args, { stdin: 'ignore', ...options });
  return typeof stdout === 'string' ? stdout : '';
}

/** Run a program whose failure is an answer: return whether it ended with 0. */
export async function succeeds(
  file: string,
  args: readonly string[],
  options: Options = {},
): Promise<boolean> {
  const { exitCode } = await execa(file, args, { stdin: 'ignore', reject: false, ...options });
  return exitCode === 0;
}

/**
 * Ask again and again until the answer is neither undefined nor false; throw after the deadline, naming what was
 * awaited. An answer that costs processes is asked for less often: on a small machine they slow down what is awaited.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { seconds = 30, everyMs = 20 }: { seconds?: number; everyMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${String(seconds)} s in vain: ${what}`);
    await sleep(everyMs);
  }
}
