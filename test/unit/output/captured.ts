/** An output that writes into memory, as into a terminal or into a pipe. */
import { PassThrough } from 'node:stream';
import { Output } from '../../../src/output/output.ts';

class Captured extends PassThrough {
  isTTY: boolean;
  columns = 120;
  rows = 40;

  constructor(isTerminal: boolean) {
    super();
    this.isTTY = isTerminal;
  }

  get text(): string {
    return String(this.read() ?? '');
  }
}

interface Options {
  readonly json?: boolean;
  /** A terminal with colours and a live table. */
  readonly live?: boolean;
}

/** Make one; `out` and `err` return what was written since they were last asked. */
export function captured({ json = false, live = false }: Options = {}) {
  const [stdout, stderr] = [new Captured(live), new Captured(live)];
  const screen = Object.assign((text: string) => void stdout.write(`${text}\n`), {
    clear: () => undefined,
    done: () => undefined,
  });
  const output = new Output({
    json,
    live: live ? screen : null,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
  });
  return { output, out: () => stdout.text, err: () => stderr.text };
}
