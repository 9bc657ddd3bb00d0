/**
 * The only writer to the terminal: plain lines, a live table where there is a terminal, or one JSON object. What is
 * shown to people may hold words of a node, a model or a server, so here everything that a terminal would obey becomes
 * visible. Colours pass in the live table alone, whose cells are escaped before they are coloured.
 */
import { bold, green, red, yellow } from 'yoctocolors';
import { escapedJson, escapeLines } from '../process/escape.ts';
import { explainError } from './explain-error.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Replaces the live part of the screen; null where there is no terminal for colours and a live table. */
  readonly live: LiveScreen | null;
}

/** What log-update makes. It is not loaded here: that takes as long as all of `--help`. */
export interface LiveScreen {
  (text: string): void;
  clear(): void;
  done(): void;
}

/** Can a live table be shown? A terminal that does not say its width gets plain lines: log-update prints nothing at 0 columns. */
export const canBeLive = (stdout: NodeJS.WriteStream): boolean => stdout.isTTY && stdout.columns > 20;

const plain = (text: string): string => text;

/** Colours and weights, and nothing else that begins with ESC. In the words of others they could hide what follows. */
const STYLE = new RegExp(String.raw`(\u001B\[[\d;]*m)`);

const exceptStyle = (text: string): string =>
  text
    .split(STYLE)
    .map((part, at) => (at % 2 === 1 ? part : escapeLines(part)))
    .join('');

export class Output {
  readonly isJson: boolean;
  readonly isLive: boolean;
  readonly columns: number;
  readonly colors: Record<'bold' | 'green' | 'red' | 'yellow', (text: string) => string>;
  private readonly options: OutputOptions;
  private readonly live: LiveScreen | null;

  constructor(options: OutputOptions) {
    this.options = options;
    this.isJson = options.json;
    const columns = options.stdout.isTTY ? options.stdout.columns : 0;
    this.live = options.live;
    this.isLive = options.live !== null;
    this.columns = columns > 0 ? columns : 100;
    this.colors = this.isLive
      ? { bold, green, red, yellow }
      : { bold: plain, green: plain, red: plain, yellow: plain };
  }

  /** One line for people; nothing with --json. */
  line(text: string): void {
    if (this.isJson) return;
    if (this.live) this.live.clear();
    this.options.stdout.write(`${escapeLines(text)}\n`);
  }

  /** A line about what goes on, on stderr, so that stdout stays clean for results. */
  note(text: string): void {
    if (this.isJson) return;
    if (this.live) this.live.clear();
    this.options.stderr.write(`${escapeLines(text)}\n`);
  }

  /** Replace the live part of the screen; only with `isLive`. */
  update(text: string): void {
    this.live?.(exceptStyle(text));
  }

  /** Leave the live part as it stands. */
  done(): void {
    this.live?.done();
  }

  /** The text as it is: what a command is asked to print, made by ourselves. */
  raw(text: string): void {
    this.options.stdout.write(text);
  }

  /** The result of a command: an object with --json, else nothing. */
  result(value: unknown): void {
    if (this.isJson) this.options.stdout.write(`${escapedJson(value)}\n`);
  }

  /** Print an error and return the exit code. */
  error(error: unknown): number {
    const explained = explainError(error);
    if (this.isJson) this.result({ ...(explained.json as object), exitCode: explained.exitCode });
    else {
      this.live?.done();
      this.options.stderr.write(`${escapeLines(explained.text)}\n`);
    }
    return explained.exitCode;
  }
}
