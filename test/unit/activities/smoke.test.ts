/** The smoke test against a server that answers as SGLang does, and in the ways in which one only seems to serve. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { smokeTest } from '../../../activities/smoke.ts';
import { base, inActivity, machine } from './in-activity.ts';

interface Says {
  readonly model?: string;
  /** Instead of a list of models. */
  readonly models?: string;
  readonly text?: string;
  readonly streamed?: readonly string[];
  /** Before the stream ends. */
  readonly more?: string;
  readonly breaksOff?: boolean;
  readonly status?: number;
  /** Before the first byte of an answer. */
  readonly lateMs?: number;
}

let server: Server | undefined;
afterEach(() => {
  server?.close();
});

const json = (response: ServerResponse, body: unknown) => response.end(JSON.stringify(body));

/** What the smoke test finds of a server that says this. */
async function ask({ model = 'tiny', text = 'A wind.', status = 200, lateMs = 0, ...says }: Says) {
  const { streamed = ['A', ' wind.'], models = JSON.stringify({ data: [{ id: model }] }) } = says;
  server = createServer((request, response) => {
    if (request.url === '/v1/models') {
      response.end(models);
      return;
    }
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    const respond = (): void => {
      response.statusCode = status;
      if (!(JSON.parse(body) as { stream: boolean }).stream) {
        json(response, { choices: [{ message: { content: text } }], usage: { completion_tokens: 3 } });
        return;
      }
      for (const content of streamed)
        response.write(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
      response.write(says.more ?? '\n', () => {
        if (says.breaksOff === true) response.destroy();
        else response.end('data: [DONE]\n\n');
      });
    };
    request.on('end', () => setTimeout(respond, lateMs));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const input = { ...base('/nowhere'), address: '127.0.0.1', port, servedName: 'tiny', withApiKey: false };
  return inActivity(() => smokeTest(machine('/nowhere'))(input));
}

test('an answer and a stream of tokens are told', async () => {
  expect(await ask({})).toMatchObject({ answer: 'A wind.', tokens: 3, streamedChunks: 2 });
});

test('an answer is waited for as long as it may take, whatever fetch holds for long', async () => {
  const usual = getGlobalDispatcher();
  setGlobalDispatcher(new Agent({ headersTimeout: 300, bodyTimeout: 300 }));
  try {
    expect(await ask({ lateMs: 2_500 })).toMatchObject({ answer: 'A wind.' });
  } finally {
    setGlobalDispatcher(usual);
  }
}, 20_000);

test.each([
  ['another model', { model: 'other' }, 'WRONG_MODEL_SERVED', 'other'],
  ['no text', { text: ' ' }, 'SMOKE_FAILED', 'the completion holds no text'],
  ['no token in its stream', { streamed: [''] }, 'SMOKE_FAILED', 'the stream delivered no token'],
  ['a text without end', { text: 'x'.repeat(2 ** 21) }, 'SMOKE_FAILED', 'longer than 1048576 bytes'],
  ['a long error', { status: 500, text: 'x'.repeat(2 ** 21) }, 'SMOKE_FAILED', 'answered 500: {"choices"'],
  ['no list of models', { models: '<html>' }, 'SMOKE_FAILED', '/v1/models did not answer with a list'],
  ['a stream that breaks off', { breaksOff: true }, 'SMOKE_FAILED', 'the answer broke off: '],
  ['a stream of something else', { more: 'data: {"error":1}\n\n' }, 'SMOKE_FAILED', 'no chunk: {"error":1}'],
  ['an error', { status: 500 }, 'SMOKE_FAILED', '/v1/chat/completions answered 500'],
] as const)('a server with %s does not serve', async (_what, says, type, message) => {
  await expect(ask(says)).rejects.toMatchObject({ type, message: expect.stringContaining(message) });
});
