/** One completion now, asked from the operator's machine through the connection to the head. */
import { z } from 'zod';
import { WindlassError } from '../errors.ts';
import { forwardLocal, type TunnelSource } from '../ssh/forward.ts';

export interface ProbeTarget {
  readonly address: string;
  readonly port: number;
  readonly servedName: string;
  readonly key: string | null;
}

export interface ProbeResult {
  readonly ok: boolean;
  readonly ms: number;
  /** The answer, or why there is none. */
  readonly text: string;
}

/** A first answer may compile kernels; a cluster that serves answers far sooner than this. */
const probeLimitMs = 60_000;
const Models = z.object({ data: z.array(z.object({ id: z.string() })) });
const Completion = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
});

/** Ask for the model list and one short completion. Never throws for a server that does not answer. */
export async function probe(head: TunnelSource, target: ProbeTarget): Promise<ProbeResult> {
  const startedAt = Date.now();
  const refusal = await whyRefused(head, target);
  if (refusal !== null) return { ok: false, ms: Date.now() - startedAt, text: `no answer: ${refusal}` };
  const forward = await forwardLocal(head, { toHost: target.address, toPort: target.port });
  const base = `http://127.0.0.1:${forward.port}/v1`;
  const headers = {
    'content-type': 'application/json',
    ...(target.key !== null && { authorization: `Bearer ${target.key}` }),
  };
  const ask = async (path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(base + path, {
      headers,
      signal: AbortSignal.timeout(probeLimitMs),
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return response.json();
  };
  try {
    const names = Models.parse(await ask('/models')).data.map((model) => model.id);
    if (!names.includes(target.servedName))
      throw new Error(`the server has ${names.join(', ')}, not ${target.servedName}`);
    const messages = [{ role: 'user', content: 'Say one word.' }];
    const answer = Completion.parse(
      await ask('/chat/completions', { model: target.servedName, messages, max_tokens: 8 }),
    );
    return { ok: true, ms: Date.now() - startedAt, text: answer.choices[0]?.message.content.trim() ?? '' };
  } catch (error) {
    return { ok: false, ms: Date.now() - startedAt, text: `no answer: ${reasonOf(error)}` };
  } finally {
    await forward.close();
  }
}

/**
 * Does anybody take the connection? A forward accepts it before it can know, and `fetch` never notices the end of one
 * that closes the moment it was accepted.
 */
async function whyRefused(head: TunnelSource, { address, port }: ProbeTarget): Promise<string | null> {
  try {
    (await head.openTunnel(address, port)).close();
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `nothing came within ${probeLimitMs / 1000} s`;
  return error.cause instanceof Error && !(error instanceof WindlassError)
    ? error.cause.message
    : error.message;
}
