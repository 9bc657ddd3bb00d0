/** Takes one program out of a verified archive: npm's are gzipped tar, wheels are zip. */
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { list } from 'tar';
import { openPromise } from 'yauzl';
import { fail } from '../../errors.ts';

/** Write the archive's member to `target`, executable. Throws INTERNAL when the archive has no such member. */
export async function extractMember(
  archive: string,
  kind: 'tar' | 'zip',
  member: string,
  target: string,
): Promise<void> {
  const write = (content: NodeJS.ReadableStream): Promise<void> =>
    pipeline(content, createWriteStream(target, { mode: 0o755 }));
  const isFound =
    kind === 'tar' ? await fromTar(archive, member, write) : await fromZip(archive, member, write);
  if (!isFound) throw fail('INTERNAL', { message: `${archive} holds no ${member}` });
}

type Write = (content: NodeJS.ReadableStream) => Promise<void>;

async function fromTar(archive: string, member: string, write: Write): Promise<boolean> {
  let written: Promise<void> | undefined;
  await list({
    file: archive,
    strict: true,
    onReadEntry: (entry) => {
      if (entry.path === member) written = write(entry as unknown as Readable);
      else entry.resume();
    },
  });
  await written;
  return written !== undefined;
}

async function fromZip(archive: string, member: string, write: Write): Promise<boolean> {
  const zip = await openPromise(archive);
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== member) continue;
      await write(await zip.openReadStreamPromise(entry));
      return true;
    }
    return false;
  } finally {
    zip.close();
  }
}
