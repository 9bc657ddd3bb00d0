/** Makes the context of a command from this process: its streams, its environment, its Ctrl-C. */
import { homedir } from 'node:os';
import { readVariables } from '../config/environment.ts';
import type { LiveScreen } from '../output/output.ts';
import { canBeLive, Output } from '../output/output.ts';
import { cacheFolder } from '../placing/download/cache-folder.ts';
import type { CommandContext } from './context.ts';

export async function readContext(json: boolean): Promise<CommandContext> {
  const env = readVariables();
  const { stdout, stderr } = process;
  let interrupted: AbortSignal | undefined;
  const isPlain = env['NO_COLOR'] !== undefined || env['TERM'] === 'dumb' || env['CI'] !== undefined;
  return {
    output: new Output({ json, stdout, stderr, live: isPlain || json ? null : await liveScreen(stdout) }),
    env,
    cacheDir: cacheFolder(env, homedir()),
    get signal() {
      return (interrupted ??= firstInterrupt());
    },
    isInteractive: process.stdin.isTTY && stdout.isTTY && !json,
  };
}

/** Aborted by the next Ctrl-C; the one after that ends the program as usual. */
function firstInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort(new Error('interrupted'));
  });
  return controller.signal;
}

async function liveScreen(stdout: NodeJS.WriteStream): Promise<LiveScreen | null> {
  return canBeLive(stdout) ? (await import('log-update')).createLogUpdate(stdout) : null;
}
