/** One completion now, asked from the operator's machine through the connection to the head. */
import { z } from 'zod';
import type { SshConnection } from '../ssh/connection.ts';
import { forwardLocal } from '../ssh/forward.ts';

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
export async function probe(head: SshConnection, target: ProbeTarget): Promise<ProbeResult> {
  const forward = await forwardLocal(head, { toHost: target.address, toPort: target.port });
  const startedAt = Date.now();
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

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `nothing came within ${probeLimitMs / 1000} s`;
  return error.cause instanceof Error ? error.cause.message : error.message;
}
