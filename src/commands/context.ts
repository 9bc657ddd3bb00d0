/** What every command gets: where it prints, what surrounds it, and when it is asked to let go. */
import type { Environment } from '../process/environment.ts';
import type { Output } from '../output/output.ts';

export interface CommandContext {
  readonly output: Output;
  /** The operator's environment variables. */
  readonly env: Environment;
  /** Folder for downloads and payloads. */
  readonly cacheDir: string;
  /**
   * Aborted by the first Ctrl-C, from when a command has asked for it: then there is a run to let go of. Before that,
   * Ctrl-C ends the program as usual.
   */
  readonly signal: AbortSignal;
  /** A person can be asked: both ends are terminals. */
  readonly isInteractive: boolean;
}
