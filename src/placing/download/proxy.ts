/** Sends requests through the proxy that the operator's environment names; Node.js 20's own fetch knows none. */
import type { Environment } from '../../process/environment.ts';

export type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

/** Return fetch as the environment wants it for this address. */
export async function fetchFor(url: URL, environment: Environment): Promise<Fetch> {
  const proxy = proxyFor(url, environment);
  if (proxy === undefined) return fetch;
  // Loaded only where it is needed.
  const undici = await import('undici');
  const dispatcher = new undici.ProxyAgent(proxy);
  const send = undici.fetch as unknown as (to: URL, init: object) => Promise<Response>;
  return (to, init) => send(to, { ...init, dispatcher });
}

/** The proxy for an address, as curl, pip and npm choose it: `https_proxy`, `http_proxy`, not for `no_proxy`. */
export function proxyFor({ protocol, hostname }: URL, environment: Environment): string | undefined {
  const named = (name: string): string => environment[name] || environment[name.toUpperCase()] || '';
  const proxy = named(protocol === 'https:' ? 'https_proxy' : 'http_proxy');
  if (proxy === '') return undefined;
  const isExempt = named('no_proxy')
    .split(/[\s,]+/)
    .map((entry) => entry.replace(/^\*?\./, '').replace(/:\d+$/, ''))
    .some((entry) => entry === '*' || (entry !== '' && `.${hostname}`.endsWith(`.${entry}`)));
  return isExempt ? undefined : proxy;
}
