import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { LogFile } from '../../../src/process/log-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-log-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const ended = (log: LogFile) => new Promise<void>((resolve) => void log.end(resolve));

test('goes on after what is there, for the user alone to read', async () => {
  const path = join(folder, 'log');
  const first = new LogFile(path);
  first.write('one\n');
  await ended(first);
  const second = new LogFile(path);
  second.write('two\n');
  await ended(second);
  expect(await readFile(path, 'utf8')).toBe('one\ntwo\n');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('is there where nothing was printed', async () => {
  await ended(new LogFile(join(folder, 'log')));
  expect(await readFile(join(folder, 'log'), 'utf8')).toBe('');
});

test('keeps its end and what came before that, and no more', async () => {
  const path = join(folder, 'log');
  const log = new LogFile(path, 8);
  for (const line of ['1234567\n', 'abcdefg\n', 'ABCDEFG\n', 'end\n']) log.write(line);
  await ended(log);
  expect((await readdir(folder)).toSorted()).toEqual(['log', 'log.older']);
  expect(await readFile(`${path}.older`, 'utf8')).toBe('ABCDEFG\n');
  expect(await readFile(path, 'utf8')).toBe('end\n');
});

test('counts what an earlier process has written', async () => {
  const path = join(folder, 'log');
  await writeFile(path, '12345678');
  const log = new LogFile(path, 8);
  log.write('9');
  log.write('10');
  await ended(log);
  expect(await readFile(`${path}.older`, 'utf8')).toBe('12345678');
  expect(await readFile(path, 'utf8')).toBe('910');
});

test('begins anew where somebody has removed it', async () => {
  const path = join(folder, 'log');
  const log = new LogFile(path, 8);
  await new Promise((resolve) => void log.write('12345678', resolve));
  await rm(path);
  log.write('9');
  log.write('10');
  await ended(log);
  expect(await readFile(path, 'utf8')).toBe('910');
});

test('loses what cannot be written, and writes again when it can', async () => {
  const path = join(folder, 'away', 'log');
  const log = new LogFile(path);
  await new Promise((resolve) => void log.write('lost\n', resolve));
  await mkdir(join(folder, 'away'));
  log.write('kept\n');
  await ended(log);
  expect(await readFile(path, 'utf8')).toBe('kept\n');
});
