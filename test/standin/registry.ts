// GET from the package registry that this machine is configured for, trusting the certificates that pip trusts.

import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { rootCertificates } from 'node:tls';
import { execa } from 'execa';
import { pythonIndex } from '../../src/placing/download/pypi.ts';
import { HttpError, parseAddress } from '../../src/placing/download/request.ts';

export interface Registry {
  /** Root of the simple index, without a slash at the end and without credentials. */
  readonly root: string;
  /** GET a URL (with the registry's credentials, on its host), following redirects; HttpError on anything but 200. */
  readonly get: (url: string, headers?: Record<string, string>) => Promise<IncomingMessage>;
}

const SILENCE_MS = 60_000; // as the downloads of the program itself: a registry silent for longer sends no more
const MOST_REDIRECTS = 5;

interface Trust {
  readonly host: string;
  readonly credentials: Readonly<Record<string, string>>;
  readonly ca: string[] | undefined;
}

/** Find the configured registry, or take the one that is named. */
export async function findRegistry(named?: string): Promise<Registry> {
  const { url, headers } = parseAddress(named ?? (await pythonIndex(process.env)));
  const bundle = process.env['PIP_CERT'] ?? process.env['SSL_CERT_FILE'] ?? (await pipCertificates());
  const ca = bundle === undefined ? undefined : [...rootCertificates, await readFile(bundle, 'utf8')];
  const trust = { host: url.host, credentials: headers, ca };
  return {
    root: url.href.replace(/\/+$/, ''),
    get: (wanted, extra = {}) => get(new URL(wanted), extra, trust, MOST_REDIRECTS),
  };
}

async function pipCertificates(): Promise<string | undefined> {
  const asked = await execa('python3', ['-m', 'pip', 'config', 'get', 'global.cert'], { reject: false });
  return asked.exitCode === 0 && asked.stdout !== '' ? asked.stdout.trim() : undefined;
}

async function get(
  url: URL,
  extra: Record<string, string>,
  trust: Trust,
  redirects: number,
): Promise<IncomingMessage> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const start = url.protocol === 'https:' ? requestHttps : requestHttp;
    const credentials = url.host === trust.host ? trust.credentials : {};
    const headers = { 'user-agent': 'pip/26.0', ...credentials, ...extra };
    const request = start(url, { headers, timeout: SILENCE_MS, ...(trust.ca && { ca: trust.ca }) }, resolve);
    request.once('timeout', () => request.destroy(new Error(`no byte from ${url.host} for 60 s`)));
    request.once('error', reject);
    request.end();
  });
  const { statusCode = 0, headers: answered } = answer;
  if (statusCode === 200) return answer;
  answer.resume();
  if (statusCode >= 300 && statusCode < 400 && answered.location !== undefined && redirects > 0) {
    return get(new URL(answered.location, url), extra, trust, redirects - 1);
  }
  throw new HttpError(statusCode);
}

/** Read a whole body as text. */
export async function readText(message: IncomingMessage): Promise<string> {
  message.setEncoding('utf8');
  let text = '';
  for await (const part of message) text += String(part);
  return text;
}
