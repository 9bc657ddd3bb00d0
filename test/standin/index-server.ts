// The lab's package index: serves the stand-in wheels of each flavour and relays everything else to the registry
// that this machine is configured for. Roots: /<flavour>/simple/ and, without any stand-in, /pypi/simple/.

import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type IndexFile, renderHtml, renderJson } from './index-page.ts';
import { listen, type Listening, type Place } from './listen.ts';
import { fileKey, Relay } from './relay.ts';
import { type FileBody, type RequestRecord, Traffic } from './traffic.ts';
import { type Flavour, flavours } from './wheels.ts';

export type IndexPlace = Place & {
  /** Where `buildStandinWheels` built. */
  readonly wheelsDir: string;
  /** What was fetched from the registry is kept here, by hash. */
  readonly cacheDir: string;
  /** Root of the index to relay, instead of the one that pip and uv are configured for. */
  readonly registry?: string;
};

/** A running index. `traffic` shows its requests and sets its faults. */
export interface PackageIndex extends Listening {
  readonly traffic: Traffic;
  /** The simple root of a flavour (`pypi`: no stand-ins), to be given to pip or uv. */
  readonly root: (flavour: Flavour | 'pypi') => string;
}

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';
const OWN = ['torch', 'sglang', 'sglang-kernel'];

/** Start the index. */
export async function startIndex(place: IndexPlace): Promise<PackageIndex> {
  const traffic = new Traffic();
  const shelf = new Shelf(place.wheelsDir);
  const relay = new Relay(place.cacheDir, place.registry);
  const listening = await listen(place, (request, response) => {
    const record = traffic.admit(request, response);
    if (!record) return;
    answer(record, request, response, { traffic, shelf, relay }).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end(String(error));
    });
  });
  return {
    ...listening,
    traffic,
    root: (flavour) => `${listening.url}/${flavour}/simple/`,
    close: async () => {
      traffic.release();
      await listening.close();
      await relay.close();
    },
  };
}

interface Parts {
  readonly traffic: Traffic;
  readonly shelf: Shelf;
  readonly relay: Relay;
}

async function answer(
  record: RequestRecord,
  request: IncomingMessage,
  response: ServerResponse,
  { traffic, shelf, relay }: Parts,
): Promise<void> {
  const [, root = '', kind = '', project = '', key = '', name = ''] = decodeURIComponent(
    record.url.split('?')[0] ?? '',
  ).split('/');
  const flavour = flavours.find((known) => known === root);
  if (kind === 'simple' && project !== '' && (flavour !== undefined || root === 'pypi')) {
    const files = await readPage(shelf, relay, flavour, project);
    if (files) sendPage(request, response, project, files);
    else response.writeHead(404).end('no such project');
    return;
  }
  const body = await findBody(shelf, relay, { root, kind, project, key, name });
  if (!body) {
    response.writeHead(404).end('no such file');
    return;
  }
  await traffic.sendFile(record, response, body, {
    'Content-Type': 'application/octet-stream',
    'Cache-Control': 'max-age=31536000, immutable',
  });
}

async function readPage(
  shelf: Shelf,
  relay: Relay,
  flavour: Flavour | undefined,
  project: string,
): Promise<readonly IndexFile[] | undefined> {
  if (flavour && OWN.includes(project)) return shelf.files(flavour, project);
  const files = await relay.page(project);
  return files?.map((file) => ({
    ...file,
    url: `/relay/files/${project}/${fileKey(file)}/${encodeURIComponent(file.filename)}`,
  }));
}

interface Wanted {
  readonly root: string;
  readonly kind: string;
  readonly project: string;
  readonly key: string;
  readonly name: string;
}

async function findBody(shelf: Shelf, relay: Relay, wanted: Wanted): Promise<FileBody | undefined> {
  if (wanted.kind !== 'files') return undefined;
  if (wanted.root === 'relay')
    return relay.file(wanted.project, wanted.key, wanted.name.endsWith('.metadata'));
  return shelf.body(wanted.root, wanted.project);
}

function sendPage(
  request: IncomingMessage,
  response: ServerResponse,
  project: string,
  files: readonly IndexFile[],
): void {
  const wantsJson = (request.headers.accept ?? '').includes(JSON_TYPE);
  response.writeHead(200, {
    'Content-Type': wantsJson ? JSON_TYPE : 'text/html',
    'Cache-Control': 'no-cache',
    Vary: 'Accept',
  });
  response.end(wantsJson ? renderJson(project, files) : renderHtml(project, files));
}

/** The stand-in wheels on disk, hashed once. */
class Shelf {
  private readonly folder: string;
  private readonly known = new Map<string, Promise<IndexFile>>();

  constructor(folder: string) {
    this.folder = folder;
  }

  async files(flavour: Flavour, project: string): Promise<IndexFile[]> {
    const names = await readdir(join(this.folder, flavour));
    const prefix = `${project.replaceAll('-', '_')}-`;
    const wheels = names.filter((name) => name.startsWith(prefix) && name.endsWith('.whl'));
    return Promise.all(wheels.toSorted().map((name) => this.describe(flavour, name)));
  }

  async body(flavour: string, name: string): Promise<FileBody | undefined> {
    if (!flavours.some((known) => known === flavour)) return undefined;
    const names = await readdir(join(this.folder, flavour));
    if (!names.includes(name)) return undefined;
    const path = join(this.folder, flavour, name);
    return { path, size: (await stat(path)).size };
  }

  private async describe(flavour: Flavour, name: string): Promise<IndexFile> {
    const path = join(this.folder, flavour, name);
    const found = this.known.get(path) ?? hashFile(path, flavour, name);
    this.known.set(path, found);
    return found;
  }
}

async function hashFile(path: string, flavour: Flavour, filename: string): Promise<IndexFile> {
  const bytes = await readFile(path);
  const about = await readFile(`${path}.metadata`);
  return {
    filename,
    url: `/${flavour}/files/${encodeURIComponent(filename)}`,
    sha256: sha256(bytes),
    size: bytes.length,
    requiresPython: '>=3.10',
    metadata: sha256(about),
  };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
