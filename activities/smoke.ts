/** The proof of a serving cluster: the right model is listed, a completion comes back, and a stream delivers tokens. */
import { readFile } from 'node:fs/promises';
import { cancellationSignal } from '@temporalio/activity';
import { z } from 'zod';
import { SmokeInput } from '../src/cluster/inputs.ts';
import { fail } from '../src/errors.ts';
import { beating } from './acts.ts';
import type { NodeContext } from './context.ts';
import { define } from './define.ts';
import { apiKeyPath } from './engine.ts';

/** One answer through all ranks may compile kernels on first use; the engine's own limit for that is 600 s. */
const answerLimitMs = 600_000;
const prompt = 'Hello! Write a haiku about GPUs.';

export interface SmokeReport {
  readonly prompt: string;
  readonly answer: string;
  readonly tokens: number;
  readonly answerMs: number;
  readonly firstTokenMs: number;
  readonly streamedChunks: number;
  readonly at: number;
}

const Models = z.object({ data: z.array(z.object({ id: z.string() })) });
const Completion = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullable() }) })).min(1),
  usage: z.object({ completion_tokens: z.number() }),
});
const Chunk = z.object({
  choices: z.array(z.object({ delta: z.object({ content: z.string().nullish() }) })),
});

/** Ask the server as a client would. */
export const smokeTest = (context: NodeContext) =>
  define(context, SmokeInput, async (input): Promise<SmokeReport> => {
    const key = input.withApiKey ? (await readFile(apiKeyPath(context), 'utf8')).trim() : null;
    const client = new Client(
      `http://${input.address.includes(':') ? `[${input.address}]` : input.address}:${input.port}`,
      key,
    );
    return beating('asking', async () => {
      await client.demandModel(input.servedName);
      return {
        prompt,
        ...(await client.complete(input.servedName)),
        ...(await client.stream(input.servedName)),
        at: Date.now(),
      };
    });
  });

class Client {
  private readonly base: string;
  private readonly headers: Record<string, string>;

  constructor(base: string, key: string | null) {
    this.base = base;
    this.headers = {
      'content-type': 'application/json',
      ...(key !== null && { authorization: `Bearer ${key}` }),
    };
  }

  private async ask(path: string, body: unknown, limitMs: number): Promise<Response> {
    const signal = AbortSignal.any([AbortSignal.timeout(limitMs), cancellationSignal()]);
    const response = await fetch(this.base + path, {
      headers: this.headers,
      signal,
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      if (cancellationSignal().aborted) throw cancellationSignal().reason;
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

  /** A wrong model name is answered with 200 by SGLang, so the list is compared, never the answer's own field. */
  async demandModel(expected: string): Promise<void> {
    const models = Models.parse(await (await this.ask('/v1/models', undefined, 20_000)).json());
    const found = models.data.map((model) => model.id);
    if (!found.includes(expected))
      throw fail('WRONG_MODEL_SERVED', { address: this.base, found: found.join(', '), expected });
  }

  private body(model: string, stream: boolean) {
    return { model, messages: [{ role: 'user', content: prompt }], max_tokens: 24, temperature: 0, stream };
  }

  async complete(model: string): Promise<Pick<SmokeReport, 'answer' | 'tokens' | 'answerMs'>> {
    const startedAt = Date.now();
    const response = await this.ask('/v1/chat/completions', this.body(model, false), answerLimitMs);
    const parsed = Completion.safeParse(await response.json());
    const answer = parsed.data?.choices[0]?.message.content ?? '';
    if (!parsed.success || answer.trim() === '')
      throw fail('SMOKE_FAILED', { evidence: 'the completion holds no text' });
    return { answer, tokens: parsed.data.usage.completion_tokens, answerMs: Date.now() - startedAt };
  }

  async stream(model: string): Promise<Pick<SmokeReport, 'firstTokenMs' | 'streamedChunks'>> {
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
