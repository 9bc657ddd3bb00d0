/** Shows how far uploads are: a line for each node on a terminal, and elsewhere a new one now and then. */
import prettyBytes from 'pretty-bytes';
import type { Output } from './output.ts';

/** Milliseconds between two looks at one node: a line of a log stays, and yet a slow upload must not look dead. */
const paceOf = { live: 100, plain: 20_000 } as const;

export class UploadView {
  private readonly output: Pick<Output, 'isLive' | 'note' | 'update'>;
  private readonly everyMs: number;
  private readonly now: () => number;
  private readonly lines = new Map<string, string>();
  private readonly toldAt = new Map<string, number>();

  constructor(output: Pick<Output, 'isLive' | 'note' | 'update'>, now = Date.now) {
    this.output = output;
    this.everyMs = paceOf[output.isLive ? 'live' : 'plain'];
    this.now = now;
  }

  /** `sent` of `total` bytes have left for the node. */
  show(node: string, sent: number, total: number): void {
    if (sent >= total) {
      if (this.lines.delete(node)) this.draw();
      return;
    }
    const toldAt = this.toldAt.get(node);
    if (toldAt === undefined) this.toldAt.set(node, this.now());
    if (toldAt === undefined || this.now() - toldAt < this.everyMs) return;
    this.toldAt.set(node, this.now());
    const line = `  ${node.padEnd(14)} ${prettyBytes(sent)} of ${prettyBytes(total)} placed`;
    this.lines.set(node, line);
    if (this.output.isLive) this.draw();
    else this.output.note(line);
  }

  private draw(): void {
    if (this.output.isLive) this.output.update([...this.lines.values()].join('\n'));
  }
}
