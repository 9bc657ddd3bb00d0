/** Asks the served API as a client would; what it answers instead of an answer becomes an error of ours. */
import { readFile } from 'node:fs/promises';
import { cancellationSignal } from '@temporalio/activity';
import { Agent, fetch } from 'undici';
import type { Response } from 'undici';
import { z } from 'zod';
import type { SmokeInput } from '../src/cluster/inputs.ts';
import { WindlassError, fail } from '../src/errors.ts';
import type { NodeContext } from './context.ts';
import { apiKeyPath } from './engine.ts';

/** One answer through all ranks may compile kernels on first use; the engine's own limit for that is 600 s. */
const answerLimit = (): AbortSignal => AbortSignal.timeout(600_000);
/** Each request has a limit of its own. Fetch would give up after 300 s without a header, and an answer's come with it. */
const patient = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
/** What is asked for are a few words; the rest is room for what engines add to each. */
const longestAnswer = 1024 * 1024;
const longestEvidence = 300;
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

  private async ask(path: string, body: unknown, limit: AbortSignal): Promise<Response> {
    const signal = AbortSignal.any([limit, this.ending]);
    const response = await fetch(this.base + path, {
      headers: this.headers,
      signal,
      dispatcher: patient,
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      if (this.ending.aborted) throw this.ending.reason;
      throw fail('SMOKE_FAILED', { evidence: `${path} did not answer: ${causeOf(error)}` });
    });
    if (!response.ok) {
      throw fail('SMOKE_FAILED', {
        evidence: `${path} answered ${response.status}: ${await this.beginningOf(response)}`,
      });
    }
    return response;
  }

  /** What a request that is answered with JSON is answered with. */
  private async bodyOf(path: string, body: unknown, limit: AbortSignal): Promise<unknown> {
    return jsonOf(await this.textOf(await this.ask(path, body, limit)));
  }

  private async textOf(response: Response): Promise<string> {
    let text = '';
    for await (const part of this.partsOf(response)) text += part;
    return text;
  }

  private async beginningOf(response: Response): Promise<string> {
    let text = '';
    for await (const part of this.partsOf(response)) {
      text += part;
      if (text.length >= longestEvidence) break;
    }
    return text.slice(0, longestEvidence);
  }

  /** The text of an answer, as it comes. Throws SMOKE_FAILED where it breaks off, or does not end. */
  private async *partsOf(response: Response): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    let bytes = 0;
    try {
      for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        bytes += part.length;
        if (bytes > longestAnswer)
          throw fail('SMOKE_FAILED', { evidence: `the answer is longer than ${longestAnswer} bytes` });
        yield decoder.decode(part, { stream: true });
      }
    } catch (error) {
      if (this.ending.aborted) throw this.ending.reason;
      if (error instanceof WindlassError) throw error;
      throw fail('SMOKE_FAILED', { evidence: `the answer broke off: ${causeOf(error)}` });
    }
  }

  /** A wrong model name is answered with 200 by SGLang, so the list is compared, never the answer's own field. */
  async demandModel(expected: string): Promise<void> {
    const models = Models.safeParse(await this.bodyOf('/v1/models', undefined, AbortSignal.timeout(20_000)));
    if (!models.success) throw fail('SMOKE_FAILED', { evidence: '/v1/models did not answer with a list' });
    const found = models.data.data.map((model) => model.id);
    if (!found.includes(expected))
      throw fail('WRONG_MODEL_SERVED', { address: this.base, found: found.join(', '), expected });
  }

  private body(model: string, stream: boolean, tokens = 24) {
    const messages = [{ role: 'user', content: prompt }];
    return { model, messages, max_tokens: tokens, temperature: 0, stream };
  }

  async complete(model: string): Promise<Completed> {
    const startedAt = Date.now();
    const body = await this.bodyOf('/v1/chat/completions', this.body(model, false), answerLimit());
    const parsed = Completion.safeParse(body);
    const answer = parsed.data?.choices[0]?.message.content ?? '';
    if (!parsed.success || answer.trim() === '')
      throw fail('SMOKE_FAILED', { evidence: 'the completion holds no text' });
    return { answer, tokens: parsed.data.usage.completion_tokens, answerMs: Date.now() - startedAt };
  }

  /** The smallest answer through all ranks. Says when it came, and how long it took; fails when `limit` comes first. */
  async answerBriefly(model: string, limit: AbortSignal): Promise<{ answeredAt: number; answerMs: number }> {
    const startedAt = Date.now();
    const body = await this.bodyOf('/v1/chat/completions', this.body(model, false, 1), limit);
    const parsed = Completion.safeParse(body);
    if (!parsed.success || parsed.data.usage.completion_tokens < 1)
      throw fail('SMOKE_FAILED', { evidence: 'the completion holds no token' });
    return { answeredAt: Date.now(), answerMs: Date.now() - startedAt };
  }

  async stream(model: string): Promise<Streamed> {
    const startedAt = Date.now();
    const response = await this.ask('/v1/chat/completions', this.body(model, true), answerLimit());
    let firstTokenMs: number | null = null;
    let chunks = 0;
    for await (const data of events(this.partsOf(response))) {
      if (data === '[DONE]') break;
      const chunk = Chunk.safeParse(jsonOf(data));
      if (!chunk.success)
        throw fail('SMOKE_FAILED', {
          evidence: `the stream holds what is no chunk: ${data.slice(0, longestEvidence)}`,
        });
      const content = chunk.data.choices[0]?.delta.content ?? '';
      if (content === '') continue;
      firstTokenMs ??= Date.now() - startedAt;
      chunks += 1;
    }
    if (firstTokenMs === null) throw fail('SMOKE_FAILED', { evidence: 'the stream delivered no token' });
    return { firstTokenMs, streamedChunks: chunks };
  }
}

/** The `data:` fields of a server-sent event stream. */
async function* events(parts: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const part of parts) {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data:')) yield line.slice(5).trim();
  }
}

/** Null for what is none. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `fetch` says what went wrong in the cause of what it throws. */
const causeOf = (error: unknown): string =>
  error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
