// Relays packages of the real registry and keeps what it fetched: pages for a day (longer when the registry does
// not answer), files for good, by their hash. After a first run, tests need no network and no patience.

import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { type FileHandle, link, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type IndexFile, parsePage } from './index-page.ts';
import { HttpError } from '../../src/placing/download/request.ts';
import { findRegistry, readText, type Registry } from './registry.ts';
import type { FileBody } from './traffic.ts';

const PAGE_FRESH_MS = 24 * 3600 * 1000;

interface StoredPage {
  readonly fetchedAt: number;
  readonly files: readonly IndexFile[];
}

/** A cache of the configured registry under `cacheDir`. */
export class Relay {
  private readonly cacheDir: string;
  private readonly named: string | undefined;
  private found: Promise<Registry> | undefined;
  private readonly pages = new Map<string, Promise<readonly IndexFile[] | undefined>>();
  private readonly parts: string[] = [];
  private readonly downloads = new Map<string, Promise<FileBody>>();

  constructor(cacheDir: string, registry?: string) {
    this.cacheDir = cacheDir;
    this.named = registry;
  }

  /** Files of a project with their real URLs, or undefined when the registry has no such project. */
  async page(project: string): Promise<readonly IndexFile[] | undefined> {
    const known = this.pages.get(project);
    if (known) return known;
    const loading = this.loadPage(project);
    this.pages.set(project, loading);
    loading.catch(() => this.pages.delete(project));
    return loading;
  }

  /** A file of a project by its key (see `fileKey`); it may still be arriving. Undefined: no such file. */
  async file(project: string, key: string, metadata: boolean): Promise<FileBody | undefined> {
    const listed = (await this.page(project))?.find((file) => fileKey(file) === key);
    if (!listed) return undefined;
    const path = join(this.cacheDir, 'files', key, metadata ? 'METADATA' : listed.filename);
    const running = this.downloads.get(path);
    if (running) return running;
    const whole = await stat(path).catch(() => undefined);
    if (whole) return { path, size: whole.size };
    const started = this.downloads.get(path) ?? this.start(listed, path, metadata);
    return started;
  }

  /** Remove the names under which files arrived. */
  async close(): Promise<void> {
    await Promise.all(this.parts.map((path) => rm(path, { force: true })));
  }

  private registry(): Promise<Registry> {
    this.found ??= findRegistry(this.named);
    return this.found;
  }

  private start(listed: IndexFile, path: string, metadata: boolean): Promise<FileBody> {
    const url = metadata ? `${listed.url}.metadata` : listed.url;
    const started = this.download(url, path, metadata ? undefined : listed.sha256);
    this.downloads.set(path, started);
    started.catch(() => this.downloads.delete(path));
    return started;
  }

  private async loadPage(project: string): Promise<readonly IndexFile[] | undefined> {
    const path = join(this.cacheDir, 'pages', `${project}.json`);
    const stored = await readStored(path);
    if (stored && Date.now() - stored.fetchedAt < PAGE_FRESH_MS) return stored.files;
    try {
      const files = await this.fetchPage(project);
      await mkdir(join(this.cacheDir, 'pages'), { recursive: true });
      const fresh = `${path}.${process.pid}`;
      await writeFile(fresh, JSON.stringify({ fetchedAt: Date.now(), files }));
      await rename(fresh, path);
      return files;
    } catch (error) {
      if (error instanceof HttpError && error.status === 404) return undefined;
      if (stored) return stored.files;
      throw error;
    }
  }

  private async fetchPage(project: string): Promise<IndexFile[]> {
    const { root, get } = await this.registry();
    const url = `${root}/${project}/`;
    const accept =
      'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1';
    const answer = await get(url, { Accept: accept });
    return parsePage(await readText(answer), answer.headers['content-type'] ?? '', url);
  }

  /** What arrives has a name of this process's own, so that relays of one cache do not meet; whole, it gets its true one. */
  private async download(url: string, whole: string, sha256: string | undefined): Promise<FileBody> {
    const { get } = await this.registry();
    const answer = await get(url);
    await mkdir(dirname(whole), { recursive: true });
    const path = `${whole}.${process.pid}.part`;
    const file = await open(path, 'w'); // there before anybody is told of it
    this.parts.push(path);
    const progress = new EventEmitter();
    progress.setMaxListeners(0);
    const state: { written: number; ended: boolean; failure?: Error } = { written: 0, ended: false };
    const arriving = store(answer, file, sha256, (bytes) => {
      state.written += bytes;
      progress.emit('more');
    })
      .then(() => link(path, whole))
      .catch(ignoreExisting)
      .catch((error: unknown) => {
        state.failure = new Error(`${url} did not arrive whole`, { cause: error });
      })
      .finally(() => {
        state.ended = true;
        this.downloads.delete(whole);
        progress.emit('more');
      });
    const available = async (beyond: number): Promise<number> => {
      while (state.written <= beyond && !state.ended) await once(progress, 'more');
      if (state.failure) throw state.failure;
      return state.written;
    };
    const size = Number(answer.headers['content-length']);
    if (Number.isInteger(size)) return { path, size, available };
    await arriving;
    return { path, size: await available(0) };
  }
}

async function store(
  answer: AsyncIterable<Buffer>,
  file: FileHandle,
  sha256: string | undefined,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const hash = createHash('sha256');
  try {
    for await (const part of answer) {
      hash.update(part);
      await file.writeFile(part);
      onBytes(part.length);
    }
  } finally {
    await file.close();
  }
  if (sha256 !== undefined && hash.digest('hex') !== sha256)
    throw new Error('it has another hash than its page says');
}

/** Another relay of the same cache was quicker with the same file. */
function ignoreExisting(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
}

async function readStored(path: string): Promise<StoredPage | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as StoredPage);
}

/** Name of a file in the cache and in our URLs: its hash, or that of its URL where the registry gives none. */
export function fileKey(file: IndexFile): string {
  return file.sha256 ?? createHash('sha256').update(file.url).digest('hex');
}
