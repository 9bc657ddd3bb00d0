// The lab's model hub: the endpoints that Hugging Face's own client uses to find and fetch a model, over plain files.
// No Xet: the client falls back to ranged HTTP, which is what can be resumed and watched.

import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { listen, type Listening, type Place } from './listen.ts';
import { type RequestRecord, Traffic } from './traffic.ts';

export type HubPlace = Place & {
  /** Models as `makeTinyModels` writes them: `<owner>/<name>/<commit>/…` and `<owner>/<name>/refs.json`. */
  readonly modelsDir: string;
  /** Models that want a token: id → token. */
  readonly gated?: Readonly<Record<string, string>>;
};

/** A running hub, for `HF_ENDPOINT`. `traffic` shows its requests and sets its faults. */
export interface Hub extends Listening {
  readonly traffic: Traffic;
}

interface StoredFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly blob: string;
}

interface Snapshot {
  readonly id: string;
  readonly commit: string;
  readonly folder: string;
  readonly files: readonly StoredFile[];
}

/** Why a request has no answer: the code that the client turns into an exception. */
class HubRefusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Start the hub. */
export async function startHub(place: HubPlace): Promise<Hub> {
  const traffic = new Traffic();
  const library = new Library(place.modelsDir, place.gated ?? {});
  const listening = await listen(place, (request, response) => {
    const record = traffic.admit(request, response);
    if (!record) return;
    answer(record, request, response, library, traffic).catch((error: unknown) => {
      refuse(response, error);
    });
  });
  return {
    ...listening,
    traffic,
    close: async () => {
      traffic.release();
      await listening.close();
    },
  };
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, code } = error instanceof HubRefusal ? error : { status: 500, code: 'InternalError' };
  const message = error instanceof Error ? error.message : String(error);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'X-Error-Code': code,
    'X-Error-Message': message,
  });
  response.end(JSON.stringify({ error: message }));
}

async function answer(
  record: RequestRecord,
  request: IncomingMessage,
  response: ServerResponse,
  library: Library,
  traffic: Traffic,
): Promise<void> {
  const path = decodeURIComponent(record.url.split('?')[0] ?? '');
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  const info = /^\/api\/models\/([^/]+\/[^/]+)(?:\/revision\/([^/]+))?$/.exec(path);
  const tree = /^\/api\/models\/([^/]+\/[^/]+)\/tree\/([^/]+)(?:\/(.*))?$/.exec(path);
  const file = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path);
  if (info) {
    sendJson(response, describe(await library.snapshot(info[1] ?? '', info[2] ?? 'main', undefined)));
  } else if (tree) {
    const snapshot = await library.snapshot(tree[1] ?? '', tree[2] ?? 'main', token);
    sendJson(response, listTree(snapshot, tree[3] ?? ''));
  } else if (file) {
    const snapshot = await library.snapshot(file[1] ?? '', file[2] ?? 'main', token, true);
    await sendFile(record, response, snapshot, file[3] ?? '', traffic);
  } else {
    throw new HubRefusal(404, 'NotFound', `no such endpoint: ${path}`);
  }
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

function isLarge(file: StoredFile): boolean {
  return file.path.endsWith('.safetensors');
}

function describe({ id, commit, files }: Snapshot): unknown {
  return {
    _id: createHash('sha256').update(id).digest('hex').slice(0, 24),
    id,
    modelId: id,
    sha: commit,
    private: false,
    gated: false,
    disabled: false,
    tags: [],
    downloads: 0,
    likes: 0,
    createdAt: '2026-11-01T00:00:00.000Z',
    lastModified: '2026-11-01T00:00:00.000Z',
    siblings: files.map(({ path, size, blob, sha256 }) => ({
      rfilename: path,
      size,
      blobId: blob,
      ...(path.endsWith('.safetensors') && { lfs: { sha256, size, pointerSize: 134 } }),
    })),
  };
}

function listTree({ files }: Snapshot, under: string): unknown {
  return files
    .filter(({ path }) => under === '' || path.startsWith(`${under}/`))
    .map((file) => ({
      type: 'file',
      oid: file.blob,
      size: file.size,
      path: file.path,
      ...(isLarge(file) && { lfs: { oid: file.sha256, size: file.size, pointerSize: 134 } }),
    }));
}

async function sendFile(
  record: RequestRecord,
  response: ServerResponse,
  snapshot: Snapshot,
  path: string,
  traffic: Traffic,
): Promise<void> {
  const file = snapshot.files.find((known) => known.path === path);
  if (!file) throw new HubRefusal(404, 'EntryNotFound', 'Entry not found');
  const etag = isLarge(file) ? file.sha256 : file.blob;
  await traffic.sendFile(
    record,
    response,
    { path: join(snapshot.folder, path), size: file.size },
    {
      'Content-Type': 'application/octet-stream',
      ETag: `"${etag}"`,
      'X-Repo-Commit': snapshot.commit,
      ...(isLarge(file) && { 'X-Linked-Size': String(file.size), 'X-Linked-ETag': `"${etag}"` }),
    },
  );
}

/** The models on disk. A commit never changes, so its files are hashed once. */
class Library {
  private readonly folder: string;
  private readonly gated: Readonly<Record<string, string>>;
  private readonly snapshots = new Map<string, Promise<Snapshot>>();

  constructor(folder: string, gated: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.gated = gated;
  }

  /** The snapshot behind a revision (branch, tag or commit); `guarded` asks for the token of a gated model. */
  async snapshot(
    id: string,
    revision: string,
    token: string | undefined,
    guarded = false,
  ): Promise<Snapshot> {
    const wanted = this.gated[id];
    if (guarded && wanted !== undefined && token !== wanted) {
      const message = `Access to model ${id} is restricted. You must have access to it and be authenticated to access it. Please log in.`;
      throw new HubRefusal(token === undefined ? 401 : 403, 'GatedRepo', message);
    }
    const refs = await readFile(join(this.folder, id, 'refs.json'), 'utf8').catch(() => undefined);
    if (refs === undefined) throw new HubRefusal(404, 'RepoNotFound', 'Repository not found');
    const named = JSON.parse(refs) as Record<string, string>;
    const commit = named[revision] ?? revision;
    const folder = join(this.folder, id, commit);
    const found = await stat(folder).catch(() => undefined);
    if (!found?.isDirectory()) throw new HubRefusal(404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
    const known = this.snapshots.get(folder) ?? readSnapshot(id, commit, folder);
    this.snapshots.set(folder, known);
    return known;
  }
}

async function readSnapshot(id: string, commit: string, folder: string): Promise<Snapshot> {
  const names = (await readdir(folder)).toSorted();
  const files = await Promise.all(
    names.map(async (path) => {
      const bytes = await readFile(join(folder, path));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const blob = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
      return { path, size: bytes.length, sha256, blob };
    }),
  );
  return { id, commit, folder, files };
}
