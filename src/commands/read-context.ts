/** Makes the context of a command from this process: its streams, its environment, its Ctrl-C. */
import { homedir } from 'node:os';
import { readVariables } from '../config/environment.ts';
import type { LiveScreen } from '../output/output.ts';
import { canBeLive, Output } from '../output/output.ts';
import { cacheFolder } from '../placing/download/cache-folder.ts';
import type { CommandContext } from './context.ts';

/** The first Ctrl-C lets go of the run; a second one ends the program as usual. */
export async function readContext(json: boolean): Promise<CommandContext> {
  const env = readVariables();
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort(new Error('interrupted'));
  });
  const { stdout, stderr } = process;
  const isPlain = env['NO_COLOR'] !== undefined || env['TERM'] === 'dumb' || env['CI'] !== undefined;
  return {
    output: new Output({ json, stdout, stderr, live: isPlain || json ? null : await liveScreen(stdout) }),
    env,
    cacheDir: cacheFolder(env, homedir()),
    signal: controller.signal,
    isInteractive: process.stdin.isTTY && stdout.isTTY && !json,
  };
}

async function liveScreen(stdout: NodeJS.WriteStream): Promise<LiveScreen | null> {
  return canBeLive(stdout) ? (await import('log-update')).createLogUpdate(stdout) : null;
}
