/** Can a server be reached from this node? Asked after a failure, so that a broken line is waited out, not reported. */
import { fetchFor } from '../src/placing/download/proxy.ts';
import type { NodeContext } from './context.ts';

/** Try one request, by the proxy that the machine names; null when anything answers, else why not. */
export async function whyUnreachable({ inherited }: NodeContext, address: string): Promise<string | null> {
  const url = new URL(address);
  try {
    const send = await fetchFor(url, inherited);
    const response = await send(url, { method: 'HEAD', signal: AbortSignal.timeout(5_000) });
    await response.body?.cancel();
    return null;
  } catch (error) {
    // `fetch` says what went wrong in the cause of what it throws.
    const { cause = error } = error as { readonly cause?: unknown };
    const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
    return isAboutCertificate(String(code)) ? null : String(message ?? cause);
  }
}

/** A certificate that Node.js does not know came from a server that is there; whoever asked may know its authority. */
const isAboutCertificate = (code: string): boolean =>
  /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO_|CERT_|ERR_TLS_CERT)/.test(code);
