/** What `logs -f` makes of the parts of a log as they come. */
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { UnitLog, printLines } from '../../../src/commands/unit-log.ts';
import { connect } from '../../../src/ssh/connection.ts';
import { startSshdInProcess } from '../../support/sshd-in-process.ts';

/** Print a log in parts that end at the given bytes, as one that is followed. */
function followed(log: Buffer, ends: readonly number[]): string[] {
  const lines: string[] = [];
  let at = 0;
  for (const end of ends) at = printLines(log.subarray(at, end), end, true, (line) => lines.push(line));
  return lines;
}

test('a line is printed once and whole, wherever the parts end', () => {
  const log = Buffer.from('one\ntwo · zwei\n\nthree\n');
  for (let first = 0; first <= log.length; first += 1)
    for (let second = first; second <= log.length; second += 1)
      expect(followed(log, [first, second, log.length])).toEqual(['one', 'two · zwei', '', 'three']);
});

test('bytes that are no text move the place by what they are', () => {
  const log = Buffer.concat([Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from('after\n')]);
  expect(followed(log, [3, log.length])).toEqual(['\uFFFD\uFFFD', 'after']);
});

test('what does not go on is printed to its last byte, and nothing of an empty log', () => {
  const lines: string[] = [];
  const print = (line: string) => lines.push(line);
  expect(printLines(Buffer.from('one\ntwo'), 7, false, print)).toBe(7);
  expect(printLines(Buffer.alloc(0), 7, false, print)).toBe(7);
  expect(lines).toEqual(['one', 'two']);
});

test('a line that is longer than what is read at once does not stop the rest', () => {
  const long = Buffer.alloc(4 * 1024 * 1024, 'x');
  const lines: string[] = [];
  expect(printLines(long, long.length, true, (line) => lines.push(line))).toBe(long.length);
  expect(lines.map(({ length }) => length)).toEqual([long.length]);
});

test('what was written before a log went on in a new file, or its unit was started anew, is not lost', async () => {
  const sshd = await startSshdInProcess();
  const connection = await connect(await sshd.target());
  const folder = join(sshd.folder, 'runs/windlass-engine-0000000000000000');
  const path = join(folder, 'log');
  await mkdir(folder, { recursive: true });
  await writeFile(path, 'old\none\n');
  const lines: string[] = [];
  const log = new UnitLog(connection, join(sshd.folder, 'runs'), 'engine', (line) => lines.push(line));
  expect(await log.printLast(1, true)).toBe(true);
  await appendFile(path, 'two\n');
  await rename(path, `${path}.older`);
  await writeFile(path, 'three\nunfinis');
  await log.printNew();
  await appendFile(path, 'hed\nand its last word');
  await rename(path, `${path}.before`);
  await writeFile(path, 'four\n');
  await log.printNew();
  await log.printNew();
  expect(lines).toEqual(['one', 'two', 'three', 'unfinished', 'and its last word', 'four']);
  connection.close();
  await sshd.stop();
});
