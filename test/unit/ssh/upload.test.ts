/** Files come onto a node whole or not at all, and those that are there already cost nothing. */
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, readdir, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type SshConnection, connect } from '../../../src/ssh/connection.ts';
import { type UploadFile, uploadFiles } from '../../../src/ssh/upload.ts';
import { until } from '../../support/sshd.ts';
import { type SshdInProcess, startSshdInProcess } from '../../support/sshd-in-process.ts';

let sshd: SshdInProcess;
let connection: SshConnection;
beforeEach(async () => {
  sshd = await startSshdInProcess();
  connection = await connect(await sshd.target());
});
afterEach(async () => {
  connection.close();
  await sshd.stop();
});

/** Where the files of a test go: on the "node", which is this machine. */
const there = (name: string): string => join(sshd.folder, 'there', name);
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
const file = (name: string, content: Uint8Array, changes: Partial<UploadFile> = {}): UploadFile => ({
  source: content,
  path: there(name),
  mode: 0o640,
  sha256: sha256(content),
  ...changes,
});
const listing = (name = ''): Promise<string[]> => readdir(there(name)).then((names) => names.toSorted());
const content = randomBytes(300_000);
const large = randomBytes(5_000_000);

describe('a file that is not there', () => {
  test('is written whole, with its mode, in folders that are made', async () => {
    const told: [number, number][] = [];
    const onBytes = (sent: number, total: number): void => void told.push([sent, total]);
    const result = await uploadFiles(connection, [file('a/b/c', content)], { onBytes });
    expect(result).toEqual({ written: [there('a/b/c')], bytesSent: 300_000 });
    expect((await readFile(there('a/b/c'))).equals(content)).toBe(true);
    expect((await stat(there('a/b/c'))).mode & 0o7777).toBe(0o640);
    expect((await stat(there('a/b'))).mode & 0o7777).toBe(0o700);
    expect(await listing('a/b')).toEqual(['c']);
    expect(told.at(-1)).toEqual([300_000, 300_000]);
  });

  test('comes from a file of this machine, and may be sent compressed', async () => {
    const zipped = gzipSync(Buffer.alloc(1_000_000, 'a'));
    const [plain, packed] = [join(sshd.folder, 'plain'), join(sshd.folder, 'packed')];
    await Promise.all([writeFile(plain, content), writeFile(packed, zipped)]);
    const unpacked = Buffer.alloc(1_000_000, 'a');
    const { bytesSent } = await uploadFiles(connection, [
      file('one', content, { source: plain }),
      file('two', unpacked, { source: packed, isGzip: true, mode: 0o755 }),
    ]);
    expect(bytesSent).toBe(content.length + zipped.length);
    expect((await readFile(there('one'))).equals(content)).toBe(true);
    expect((await readFile(there('two'))).equals(unpacked)).toBe(true);
  });

  test('may be empty, be one of many, and have a name that a shell would act on', async () => {
    const names = ["it's; $(touch windlass-canary) `id`", ' spaces ', '-rf', '*', 'a"b\\c', 'ä'];
    const files = names.map((name) => file(name, Buffer.from(name)));
    await uploadFiles(connection, [...files, file('empty', Buffer.alloc(0))], { concurrency: 3 });
    expect(await listing()).toEqual([...names, 'empty'].toSorted());
    for (const name of names) expect(await readFile(there(name), 'utf8')).toBe(name);
    await expect(stat('windlass-canary')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a file that is there', () => {
  test('and right costs no transfer, is not touched, and only has its mode set', async () => {
    await uploadFiles(connection, [file('a', content)]);
    const before = await stat(there('a'));
    const sent = sshd.seen.inputBytes;
    const again = await uploadFiles(connection, [file('a', content, { mode: 0o600 })]);
    expect(again).toEqual({ written: [], bytesSent: 0 });
    expect(sshd.seen.inputBytes - sent).toBeLessThan(5_000);
    const after = await stat(there('a'));
    expect([after.ino, after.mtimeMs, after.mode & 0o7777]).toEqual([before.ino, before.mtimeMs, 0o600]);
  });

  test('and other is replaced at one moment: who has it open keeps the old one', async () => {
    await uploadFiles(connection, [file('a', Buffer.from('old'))]);
    const { ino } = await stat(there('a'));
    await uploadFiles(connection, [file('a', content)]);
    expect((await stat(there('a'))).ino).not.toBe(ino);
    expect(await listing()).toEqual(['a']);
  });

  test('as a folder is not replaced', async () => {
    await mkdir(there('a'), { recursive: true });
    await expect(uploadFiles(connection, [file('a', content)])).rejects.toMatchObject({
      code: 'UPLOAD',
      message: `${there('a')} could not be written: ${there('a')} is a directory`,
    });
    expect(await listing()).toEqual(['a']);
  });
});

describe('an upload that fails leaves no half file under the final name', () => {
  beforeEach(() => uploadFiles(connection, [file('a', Buffer.from('old'))]));
  const isUntouched = async (): Promise<void> => {
    expect(await readFile(there('a'), 'utf8')).toBe('old');
    await until('nothing else is left', async () => (await listing()).join() === 'a');
  };

  test('when the content has another checksum', async () => {
    await expect(
      uploadFiles(connection, [file('a', content, { sha256: sha256(large) })]),
    ).rejects.toMatchObject({
      code: 'UPLOAD',
      message: `${there('a')} could not be written: the content has the sha256 ${sha256(content)}`,
    });
    await isUntouched();
  });

  test('when what was to be unpacked is no gzip', async () => {
    await expect(uploadFiles(connection, [file('a', content, { isGzip: true })])).rejects.toMatchObject({
      code: 'UPLOAD',
      message: expect.stringContaining('not in gzip format'),
    });
    await isUntouched();
  });

  test('when the line is cut in the middle', async () => {
    const isHere = sshd.seen.inputBytes + 2_000_000;
    sshd.onInput((total) => {
      if (total > isHere) sshd.cut();
    });
    await expect(uploadFiles(connection, [file('a', large)])).rejects.toMatchObject({
      code: 'SSH_LOST',
      retryable: true,
      message: expect.stringContaining(`was lost while ${there('a')} was being uploaded`),
    });
    expect(sshd.seen.inputBytes).toBeLessThan(large.length);
    await isUntouched();
  });

  test('when the node ends the command that receives it: the line is not blamed', async () => {
    sshd.onInput((total) => {
      if (total > 2_000_000) sshd.signal('SIGKILL');
    });
    await expect(uploadFiles(connection, [file('a', large)])).rejects.toMatchObject({
      code: 'UPLOAD',
      message: `${there('a')} could not be written: SIGKILL ended the command that receives it`,
    });
    expect(connection.isOpen).toBe(true);
    expect(await readFile(there('a'), 'utf8')).toBe('old');
  });

  test('when the node takes no more bytes', async () => {
    sshd.onInput((total) => {
      if (total > 2_000_000) sshd.signal('SIGSTOP');
    });
    const endless = randomBytes(16_000_000);
    await expect(uploadFiles(connection, [file('a', endless)], { stallMs: 500 })).rejects.toMatchObject({
      code: 'UPLOAD',
      message: `${there('a')} could not be written: the line took no more bytes`,
    });
    sshd.onInput(() => undefined);
    sshd.signal('SIGCONT');
    await isUntouched();
  });

  test('when one of several fails, what was finished stays, and nothing is written afterwards', async () => {
    const wrong = file('a', content, { sha256: sha256(large) });
    const files = [wrong, file('b', large), file('c', large), file('d', large)];
    await expect(uploadFiles(connection, files)).rejects.toMatchObject({ code: 'UPLOAD' });
    const left = await listing();
    expect(left).not.toContain('d');
    for (const name of left.filter((found) => 'bcd'.includes(found))) {
      expect(sha256(await readFile(there(name)))).toBe(sha256(large));
    }
  });
});

test('what an upload left behind long ago is removed by the next, what is young is not', async () => {
  await mkdir(there(''), { recursive: true });
  const [old, young] = [there('.windlass-upload-1'), there('.windlass-upload-2')];
  await Promise.all([writeFile(old, 'x'), writeFile(young, 'x')]);
  const longAgo = Date.now() / 1000 - 2 * 3600;
  await utimes(old, longAgo, longAgo);
  await uploadFiles(connection, [file('a', content)]);
  expect(await listing()).toEqual([basename(young), 'a']);
});

describe('told before the first byte', () => {
  const nothingSent = (): void => {
    expect(sshd.seen.commands.filter((line) => line.includes('receive'))).toEqual([]);
  };

  test('more than the disk can take', async () => {
    const source = join(sshd.folder, 'sparse');
    await writeFile(source, '');
    await truncate(source, 8 * 2 ** 40);
    await expect(uploadFiles(connection, [file('a', content, { source })])).rejects.toMatchObject({
      code: 'DISK_FULL',
      message: expect.stringMatching(/^no space left for .*\/there\/a \(\d+ KiB free\)$/),
      advice: expect.stringContaining('Free space there'),
    });
    nothingSent();
  });

  test('a source that is not there', async () => {
    const source = join(sshd.folder, 'none');
    await expect(uploadFiles(connection, [file('a', content, { source })])).rejects.toMatchObject({
      code: 'UPLOAD',
      message: `${source} could not be written: here: ENOENT`,
    });
    nothingSent();
  });

  test.each([
    ['a relative path', { path: 'a' }, /a could not be written: it is not an absolute path of a file/],
    ['a folder', { path: '/tmp/' }, /not an absolute path of a file/],
    ['a line break', { path: '/tmp/a\nneed' }, /^[^\n]*not an absolute path of a file/],
    ['no checksum', { sha256: 'abc' }, /abc is not a sha256/],
  ])('%s', async (_, changes, message) => {
    await expect(uploadFiles(connection, [file('a', content, changes)])).rejects.toMatchObject({
      code: 'UPLOAD',
      message: expect.stringMatching(message),
    });
    expect(sshd.seen.commands).toEqual([]);
  });
});

test('a source that cannot be read after all is an upload that failed', async () => {
  const source = dirname(there('a'));
  await mkdir(source, { recursive: true });
  await expect(uploadFiles(connection, [file('a', content, { source })])).rejects.toMatchObject({
    code: 'UPLOAD',
    message: `${source} could not be written: here: EISDIR`,
  });
  await until('nothing is left', async () => (await listing()).length === 0);
});

test('a place where nobody may write is told as such', async () => {
  await mkdir(there('closed'), { recursive: true });
  await chmod(there('closed'), 0o500);
  // Root may write everywhere but into the kernel's own folders.
  const path = process.getuid?.() === 0 ? '/sys/windlass/a' : there('closed/a');
  const failure: unknown = await uploadFiles(connection, [file('a', content, { path })]).catch(
    (error: unknown) => error,
  );
  expect(['NO_PERMISSION', 'READ_ONLY']).toContain((failure as { code: string }).code);
  expect((failure as Error).message).toContain(path);
  await chmod(there('closed'), 0o700);
});

test('a lost connection is told, whatever was to be done', async () => {
  sshd.cut();
  await connection.closed;
  await expect(uploadFiles(connection, [file('a', content)])).rejects.toMatchObject({ code: 'SSH_LOST' });
});
