/** The log of a program that may run for months: it cannot fill a disk, and a full disk does not end the program. */
import type { FileHandle } from 'node:fs/promises';
import { open, rename } from 'node:fs/promises';
import { Writable } from 'node:stream';

const LONGEST = 64 * 1024 * 1024;

/** Appends to a file. One that has grown to the limit, in bytes, is kept as `PATH.older`, and another is begun. */
export class LogFile extends Writable {
  private readonly path: string;
  private readonly limit: number;
  private file: FileHandle | null = null;
  private bytes = 0;

  constructor(path: string, limit = LONGEST) {
    super();
    this.path = path;
    this.limit = limit;
  }

  /** A program that prints nothing has a log too. */
  override _construct(done: (error?: Error | null) => void): void {
    this.open()
      .catch(() => undefined)
      .finally(done);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // What cannot be written is lost: an error here would close the pipe into which the program prints.
    this.append(chunk)
      .catch(() => undefined)
      .finally(done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.close()
      .catch(() => undefined)
      .finally(done);
  }

  private async append(chunk: Buffer): Promise<void> {
    if (this.bytes >= this.limit) {
      await this.close();
      // Somebody may have removed it.
      await rename(this.path, `${this.path}.older`).catch(() => undefined);
    }
    const file = await this.open();
    await file.appendFile(chunk);
    this.bytes += chunk.length;
  }

  private async open(): Promise<FileHandle> {
    if (this.file !== null) return this.file;
    this.file = await open(this.path, 'a', 0o600);
    this.bytes = (await this.file.stat()).size;
    return this.file;
  }

  private async close(): Promise<void> {
    const { file } = this;
    this.file = null;
    await file?.close();
  }
}
