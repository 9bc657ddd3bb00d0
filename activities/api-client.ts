/** Asks the served API as a client would; what it answers instead of an answer becomes an error of ours. */
import { readFile } from 'node:fs/promises';
import { cancellationSignal } from '@temporalio/activity';
import { z } from 'zod';
import type { SmokeInput } from '../src/cluster/inputs.ts';
import { fail } from '../src/errors.ts';
import type { NodeContext } from './context.ts';
import { apiKeyPath } from './engine.ts';

/** One answer through all ranks may compile kernels on first use; the engine's own limit for that is 600 s. */
const answerLimitMs = 600_000;
export const prompt = 'Hello! Write a haiku about GPUs.';

export interface Completed {
  readonly answer: string;
  readonly tokens: number;
  readonly answerMs: number;
}

export interface Streamed {
  readonly firstTokenMs: number;
  readonly streamedChunks: number;
}

const Models = z.object({ data: z.array(z.object({ id: z.string() })) });
const Completion = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullable() }) })).min(1),
  usage: z.object({ completion_tokens: z.number() }),
});
const Chunk = z.object({
  choices: z.array(z.object({ delta: z.object({ content: z.string().nullish() }) })),
});

/** A client of the server that an input names; its requests end when `signal` comes. */
export async function apiClient(
  context: NodeContext,
  input: Pick<SmokeInput, 'address' | 'port' | 'withApiKey'>,
  signal: AbortSignal = cancellationSignal(),
): Promise<ApiClient> {
  const key = input.withApiKey ? (await readFile(apiKeyPath(context), 'utf8')).trim() : null;
  const host = input.address.includes(':') ? `[${input.address}]` : input.address;
  return new ApiClient(`http://${host}:${input.port}`, key, signal);
}

class ApiClient {
  private readonly base: string;
  private readonly headers: Record<string, string>;
  private readonly ending: AbortSignal;

  constructor(base: string, key: string | null, ending: AbortSignal) {
    this.base = base;
    this.ending = ending;
    this.headers = {
      'content-type': 'application/json',
      ...(key !== null && { authorization: `Bearer ${key}` }),
    };
  }

  private async ask(path: string, body: unknown, limitMs: number): Promise<Response> {
    const signal = AbortSignal.any([AbortSignal.timeout(limitMs), this.ending]);
    const response = await fetch(this.base + path, {
      headers: this.headers,
      signal,
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      if (this.ending.aborted) throw this.ending.reason;
      const cause =
        error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw fail('SMOKE_FAILED', { evidence: `${path} did not answer: ${cause}` });
    });
    if (!response.ok) {
      throw fail('SMOKE_FAILED', {
        evidence: `${path} answered ${response.status}: ${(await response.text()).slice(0, 300)}`,
      });
    }
    return response;
  }

  /** The JSON of an answer; null where it breaks off. */
  private async bodyOf(response: Response): Promise<unknown> {
    return response.json().catch(() => {
      if (this.ending.aborted) throw this.ending.reason;
      return null;
    });
  }

  /** A wrong model name is answered with 200 by SGLang, so the list is compared, never the answer's own field. */
  async demandModel(expected: string): Promise<void> {
    const models = Models.parse(await (await this.ask('/v1/models', undefined, 20_000)).json());
    const found = models.data.map((model) => model.id);
    if (!found.includes(expected))
      throw fail('WRONG_MODEL_SERVED', { address: this.base, found: found.join(', '), expected });
  }

  private body(model: string, stream: boolean, tokens = 24) {
    const messages = [{ role: 'user', content: prompt }];
    return { model, messages, max_tokens: tokens, temperature: 0, stream };
  }

  async complete(model: string): Promise<Completed> {
    const startedAt = Date.now();
    const response = await this.ask('/v1/chat/completions', this.body(model, false), answerLimitMs);
    const parsed = Completion.safeParse(await this.bodyOf(response));
    const answer = parsed.data?.choices[0]?.message.content ?? '';
    if (!parsed.success || answer.trim() === '')
      throw fail('SMOKE_FAILED', { evidence: 'the completion holds no text' });
    return { answer, tokens: parsed.data.usage.completion_tokens, answerMs: Date.now() - startedAt };
  }

  /** The smallest answer through all ranks. Says when it came, and how long it took. */
  async answerBriefly(model: string, limitMs: number): Promise<{ answeredAt: number; answerMs: number }> {
    const startedAt = Date.now();
    const response = await this.ask('/v1/chat/completions', this.body(model, false, 1), limitMs);
    const parsed = Completion.safeParse(await this.bodyOf(response));
    if (!parsed.success || parsed.data.usage.completion_tokens < 1)
      throw fail('SMOKE_FAILED', { evidence: 'the completion holds no token' });
    return { answeredAt: Date.now(), answerMs: Date.now() - startedAt };
  }

  async stream(model: string): Promise<Streamed> {
    const startedAt = Date.now();
    const response = await this.ask('/v1/chat/completions', this.body(model, true), answerLimitMs);
    let firstTokenMs: number | null = null;
    let chunks = 0;
    for await (const data of events(response)) {
      if (data === '[DONE]') break;
      const content = Chunk.parse(JSON.parse(data)).choices[0]?.delta.content ?? '';
      if (content === '') continue;
      firstTokenMs ??= Date.now() - startedAt;
      chunks += 1;
    }
    if (firstTokenMs === null) throw fail('SMOKE_FAILED', { evidence: 'the stream delivered no token' });
    return { firstTokenMs, streamedChunks: chunks };
  }
}

/** The `data:` fields of a server-sent event stream. */
async function* events(response: Response): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const part of response.body ?? []) {
    const lines = (rest + decoder.decode(part as Uint8Array, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data:')) yield line.slice(5).trim();
  }
}
