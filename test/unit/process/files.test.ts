import { chmod, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { appendLine, readJson, readRecord, writeFileAtomic } from '../../../src/process/files.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-files-'));
});
afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true });
});
const at = (name: string): string => join(folder, name);

describe('writeFileAtomic', () => {
  test('writes and replaces, with the asked mode, and leaves no temporary file', async () => {
    await writeFileAtomic(at('a'), 'one', { mode: 0o600 });
    await writeFileAtomic(at('a'), 'two', { mode: 0o666 });
    expect(await readFile(at('a'), 'utf8')).toBe('two');
    expect((await stat(at('a'))).mode & 0o777).toBe(0o666);
    expect(await readdir(folder)).toEqual(['a']);
  });

  test('refuses a symbolic link and leaves what it points to alone', async () => {
    await writeFile(at('target'), 'untouched');
    await symlink(at('target'), at('link'));
    await expect(writeFileAtomic(at('link'), 'x', { mode: 0o600 })).rejects.toMatchObject({ code: 'UPLOAD' });
    expect(await readFile(at('target'), 'utf8')).toBe('untouched');
  });

  test('names a missing folder and leaves nothing behind', async () => {
    const failure = writeFileAtomic(at('no/such'), 'x', { mode: 0o600 });
    await expect(failure).rejects.toMatchObject({ code: 'UPLOAD', data: { reason: 'ENOENT' } });
    expect(await readdir(folder)).toEqual([]);
  });

  test('tells a full disk', async () => {
    await expect(appendLine('/dev/full', 'x')).rejects.toMatchObject({ code: 'DISK_FULL' });
  });

  test('a reader never sees half a file', async () => {
    await writeFileAtomic(at('a'), '0'.repeat(200_000), { mode: 0o600 });
    const seen = new Set<string>();
    const writing = (async () => {
      for (let round = 1; round < 10; round++) {
        await writeFileAtomic(at('a'), String(round).repeat(200_000), { mode: 0o600 });
      }
      return 'done' as const;
    })();
    while ((await Promise.race([writing, readFile(at('a'), 'utf8')])) !== 'done') {
      const text = await readFile(at('a'), 'utf8');
      seen.add(`${text.length} ${new Set(text).size}`);
    }
    expect([...seen]).toEqual(['200000 1']);
  });
});

describe('appendLine', () => {
  test('adds lines to a file that only its owner reads, also from many writers', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, index) => appendLine(at('log'), `line ${index}`)));
    const lines = (await readFile(at('log'), 'utf8')).trimEnd().split('\n');
    expect(new Set(lines).size).toBe(50);
    expect((await stat(at('log'))).mode & 0o777).toBe(0o600);
  });

  test('begins a line of its own where a power cut has left half of one', async () => {
    await writeFile(at('log'), 'whole\nhal');
    await appendLine(at('log'), 'next');
    await appendLine(at('log'), 'last');
    expect(await readFile(at('log'), 'utf8')).toBe('whole\nhal\nnext\nlast\n');
  });

  test('refuses a line end inside the line, and a symbolic link', async () => {
    await expect(appendLine(at('log'), 'a\nb')).rejects.toThrow('line end');
    await symlink(at('elsewhere'), at('link'));
    await expect(appendLine(at('link'), 'x')).rejects.toMatchObject({ code: 'UPLOAD' });
    expect(await readdir(folder)).toEqual(['link']);
  });
});

test('a record that cannot be read is none', async () => {
  const schema = z.object({ id: z.string() });
  for (const text of ['', '{"id":', '{"id":1}']) {
    await writeFile(at('record'), text);
    expect(await readRecord(at('record'), schema)).toBeNull();
  }
  await writeFile(at('record'), '{"id":"x"}');
  expect(await readRecord(at('record'), schema)).toEqual({ id: 'x' });
  expect(await readRecord(at('none'), schema)).toBeNull();
});

describe('readJson', () => {
  const schema = z.strictObject({ id: z.string() });

  test('is undefined only when there is no file', async () => {
    expect(await readJson(at('none'), schema)).toBeUndefined();
    await writeFile(at('ok'), '{"id":"x"}');
    expect(await readJson(at('ok'), schema)).toEqual({ id: 'x' });
  });

  test.each([
    ['an empty file', ''],
    ['half a file', '{"id":'],
    ['a web page', '<html>\u001B[2J'],
    ['another shape', '{"id":1}'],
    ['an unknown key', '{"id":"x","__proto__":{"isAdmin":true}}'],
  ])('refuses %s, escaped', async (_what, content) => {
    await writeFile(at('bad'), content);
    const failure: unknown = await readJson(at('bad'), schema).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'FACT_UNREADABLE' });
    expect(String(failure)).not.toMatch(/\p{Cc}/u);
  });
});
