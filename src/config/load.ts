/**
 * From the bytes of a cluster file to its checked value. All problems are told at once, each with its line, and
 * nothing but CLUSTER_FILE_INVALID is thrown, whatever the file holds. Nothing is contacted.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import prettyBytes from 'pretty-bytes';
import { fail, WindlassError } from '../errors.ts';
import { escapeLine } from '../process/escape.ts';
import { errnoOf } from '../process/files.ts';
import { explainIssues } from './explain.ts';
import { parseYaml } from './parse.ts';
import type { Positions } from './positions.ts';
import type { Problem } from './problems.ts';
import { formatProblems, arrangeProblems } from './problems.ts';
import { checkRules } from './rules.ts';
import { decode, maxBytes, scan } from './scan.ts';
import { ClusterFile } from './schema.ts';
import { readSections } from './sections.ts';

export interface LoadedClusterFile {
  readonly file: ClusterFile;
  /** Where things stand in it, for later problems that point into the file. */
  readonly source: Positions;
}

const smallest = `The smallest one:
  schemaVersion: 1
  name: demo
  head: spark-1
  nodes:
    - name: spark-1
      address: 10.0.0.25
  model:
    id: owner/name
  engine:
    name: sglang
    version: "0.5.21"
  parallel:
    pipeline: 1`;

/** Read and check a cluster file; throws CLUSTER_FILE_INVALID with all problems. */
export async function loadClusterFile(path: string): Promise<LoadedClusterFile> {
  return parseClusterFile(path, await readBounded(path));
}

/** Check the bytes of a cluster file; `name` is how messages call it. Throws CLUSTER_FILE_INVALID. */
export function parseClusterFile(name: string, bytes: Uint8Array): LoadedClusterFile {
  if (bytes.byteLength > maxBytes) throw tooLarge(name, bytes.byteLength);
  const decoded = decode(bytes);
  if ('problem' in decoded) throw invalid(name, [decoded.problem]);
  const scanned = scan(decoded.text);
  if (scanned.length > 0) throw invalid(name, scanned);

  const parsed = parseYaml(decoded.text);
  if ('problems' in parsed) throw invalid(name, parsed.problems);
  const { value, source, misplaced } = parsed;
  if (value === null) throw invalid(name, [{ line: null, path: '', message: `is empty. ${smallest}` }]);

  const checked = ClusterFile.safeParse(value, { reportInput: true });
  const problems = [
    ...misplaced,
    ...(checked.success ? [] : explainIssues(checked.error.issues, source)),
    ...checkRules(readSections(value), source),
  ];
  if (!checked.success || problems.length > 0) throw invalid(name, problems);
  return { file: checked.data, source };
}

/** Reads at most one byte more than is allowed, and never waits: a named pipe is opened without its writer. */
async function readBounded(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (stat.isDirectory()) throw refused(path, 'is a directory');
      if (!stat.isFile()) throw refused(path, 'is not a regular file');
      if (stat.size > maxBytes) throw tooLarge(path, stat.size);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof WindlassError ? error : refused(path, readingFailed(path, error));
  }
}

function readingFailed(path: string, error: unknown): string {
  const code = errnoOf(error) ?? String(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return `does not exist (looked in ${escapeLine(dirname(resolve(path)))})`;
  }
  return code === 'EACCES' || code === 'EPERM' ? 'may not be read by you' : `cannot be read (${code})`;
}

const tooLarge = (name: string, bytes: number): WindlassError =>
  refused(
    name,
    `is ${prettyBytes(bytes, { binary: true })}; a cluster file may be at most ${maxBytes / 1024} KiB`,
  );

const refused = (name: string, message: string): WindlassError =>
  invalid(name, [{ line: null, path: '', message }]);

function invalid(name: string, problems: readonly Problem[]): WindlassError {
  const sorted = arrangeProblems(problems);
  return fail('CLUSTER_FILE_INVALID', { message: formatProblems(name, sorted), problems: sorted });
}
