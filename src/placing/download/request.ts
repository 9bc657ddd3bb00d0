/**
 * One HTTP request of a download: credentials taken out of the address, a limit on silence, errors with a cause that a
 * person can act on.
 */
import type { Environment } from '../../process/environment.ts';
import { fetchFor } from './proxy.ts';

export interface Address {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

// A registry that sends nothing for this long will not send the rest either.
const SILENCE_MS = 60_000;

/** Split `https://user:password@host/` into what fetch accepts: an address without a password and a header. */
export function parseAddress(text: string, base?: URL): Address {
  const url = new URL(text, base);
  url.hash = '';
  if (url.username === '' && url.password === '') return { url, headers: {} };
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return { url, headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } };
}

/** A deadline that every byte moves on. */
export class SilenceLimit {
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;
  #timer = this.#start();

  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #start(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#controller.abort(new Error(`no byte for ${SILENCE_MS / 1000} s`));
    }, SILENCE_MS);
  }
}

/** Fetch a small document whole. Throws what fetch throws, or an error with the status. */
export async function fetchText(
  { url, headers }: Address,
  options: {
    readonly accept: string;
    readonly environment: Environment;
    readonly largestBytes: number;
  },
): Promise<{ readonly text: string; readonly type: string; readonly url: URL }> {
  const silence = new SilenceLimit();
  try {
    const send = await fetchFor(url, options.environment);
    const response = await send(url, {
      headers: { ...headers, accept: options.accept },
      signal: silence.signal,
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new HttpError(response.status);
    }
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      silence.heard();
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (text.length > options.largestBytes) throw new Error(`more than ${options.largestBytes} bytes`);
    }
    return { text, type: response.headers.get('content-type') ?? '', url: new URL(response.url) };
  } finally {
    silence.end();
  }
}

export class HttpError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

/** Say why a request came to nothing: fetch itself says only "fetch failed", the reason is in its cause. */
export function explainRequest(error: unknown): string {
  const { cause, code, message } = Object(error) as Partial<Record<'cause' | 'code' | 'message', unknown>>;
  if (cause !== undefined && cause !== null) return explainRequest(cause);
  if (typeof code === 'string') return code;
  return typeof message === 'string' ? message : String(error);
}
