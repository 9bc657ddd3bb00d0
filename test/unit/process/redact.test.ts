import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { quote } from '../../../src/process/command.ts';
import { redactionStream, redactor } from '../../../src/process/redact.ts';
import { muchWork, processorSeconds } from '../../support/processor-time.ts';
import { runs } from '../../support/property.ts';

const WINDOW = 8;

/** Every piece of eight characters of a text. */
const windows = (text: string): string[] =>
  Array.from({ length: Math.max(0, text.length - WINDOW + 1) }, (_, at) => text.slice(at, at + WINDOW));

const secret = fc.oneof(
  fc.string({ minLength: 8, maxLength: 40 }),
  fc.string({ minLength: 8, maxLength: 24, unit: 'grapheme' }),
  fc.string({ minLength: 8, maxLength: 24, unit: fc.constantFrom(...`'"\\\n/+ =`.split('')) }),
  fc.string({ minLength: 8, maxLength: 30, unit: fc.constantFrom('a', 'b') }),
);

const around = fc.string({ maxLength: 20 });

/** The text of a command with a secret in it, in the renderings in which it may come back. */
const surroundings: readonly (readonly [string, (text: string) => string])[] = [
  ['raw', (text) => text],
  ['quoted', quote],
  ['JSON', (text) => JSON.stringify({ args: ['--key', text] })],
  ['JSON in JSON', (text) => JSON.stringify({ payload: JSON.stringify([text]) })],
  ['percent-encoded', (text) => encodeURIComponent(text)],
];

describe('a redactor leaves no eight characters of a secret', () => {
  test.each(surroundings)('in the form %s', (_form, render) => {
    const [head = '', foot = ''] = render('PLACEHOLDER').split('PLACEHOLDER');
    fc.assert(
      fc.property(secret, around, around, (hidden, before, after) => {
        const form = render(hidden);
        const shown = redactor([hidden])(`${before}${form}${after}`);
        const own = form.slice(head.length, form.length - foot.length);
        for (const piece of windows(own)) {
          if (!`${before} ${after}`.includes(piece)) expect(shown).not.toContain(piece);
        }
      }),
      runs(150),
    );
  });

  test.each(['base64', 'base64url'] as const)('in %s, wherever it stands in the bytes', (encoding) => {
    fc.assert(
      fc.property(secret, around, around, (hidden, before, after) => {
        const encoded = Buffer.from(before + hidden + after).toString(encoding);
        const shown = redactor([hidden])(encoded);
        const start = Buffer.byteLength(before);
        const end = Buffer.byteLength(before + hidden);
        const own = encoded.slice(Math.ceil((start * 4) / 3), Math.floor((end * 4) / 3));
        for (const piece of windows(own)) expect(shown).not.toContain(piece);
      }),
      runs(150),
    );
  });

  test('where a text was cut in the middle of it', () => {
    const hidden = 'correct-horse-battery-staple';
    const redact = redactor([hidden]);
    expect(redact('key correct-horse-bat')).toBe('key ***');
    expect(redact('tery-staple and on')).toBe('*** and on');
    expect(redact('nothing correct about it')).toBe('nothing correct about it');
  });

  test('of which one begins inside the other', () => {
    expect(redactor(['abcdefghij', 'fghijklmnopqrs'])('<abcdefghijklmnopqrs>')).toBe('<***>');
    expect(redactor(['aaaaaaaaaaaa'])('a'.repeat(21))).toBe('***');
  });

  test('of a key file, of which a log shows single lines', () => {
    const pem = '-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----';
    expect(redactor([pem])('line 2: hkiG9w0BAQEFAASC')).toBe('line 2: ***');
  });
});

describe('a redactor knows the names of secrets', () => {
  const redact = redactor([]);
  test.each([
    ["ServerArgs(api_key='wl-7f', admin_api_key=None)", 'ServerArgs(api_key=***, admin_api_key=None)'],
    ['{"token":"hf_x","n":1}', '{"token":***,"n":1}'],
    ['HF_TOKEN=hf_abc next', 'HF_TOKEN=*** next'],
    ['password: hunter2', 'password: ***'],
    ['--api-key wl-7f --port 1', '--api-key *** --port 1'],
    ['Authorization: Bearer eyJhbGciOi.x', 'Authorization: Bearer ***'],
    ['https://user:pa55@host/simple', 'https://user:***@host/simple'],
    ['found hf_abcdefghijklmnopqrst', 'found ***'],
  ])('%s', (text, shown) => {
    expect(redact(text)).toBe(shown);
  });

  test.each([
    '#new-token: 28, #cached-token: 0, token usage: 0.00',
    "tokenizer_path='/models/tiny', eos_token='</s>', max_total_num_tokens=43640518",
    'api_key=None, token: 0.5, "token": null',
    'Using fallback token IDs for yes/no (9693/2152)',
  ])('leaves %j as it is', (text) => {
    expect(redact(text)).toBe(text);
  });
});

async function through(chunks: readonly Buffer[], secrets: readonly string[]): Promise<string> {
  const stream = Readable.from(chunks).pipe(redactionStream(secrets));
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString();
}

function cut(text: string, size: number): Buffer[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
}

describe('redactionStream', () => {
  const log = [
    "server_args=ServerArgs(model_path='/m', api_key='wl-näive-key', port=30000)",
    'prompt with correct-horse\nbattery-staple in two lines, and wl-näive-key',
    'a line without any, 北京 🚀',
    'the end has no line end: HF_TOKEN=abcdef',
  ].join('\n');
  const secrets = ['wl-näive-key', 'correct-horse\nbattery-staple'];

  test.each([1, 2, 3, 7, 16, 1000])('is not fooled by chunks of %i bytes', async (size) => {
    expect(await through(cut(log, size), secrets)).toBe(redactor(secrets)(log));
  });

  test('passes a line on before the stream ends', () => {
    const stream = redactionStream(['some-secret']);
    stream.write('one some-secret\ntwo');
    expect(String(stream.read())).toBe('one ***\n');
    stream.end();
  });

  test('hides a secret in the middle of an endless line, in bounded memory', async () => {
    const filler = 'x'.repeat(50_000);
    const text = `${filler}some-secret${filler}api_key='abc'${filler}some-secret${filler}`;
    const shown = await through(cut(text, 1500), ['some-secret']);
    expect(shown).toBe(`${filler}***${filler}api_key=***${filler}***${filler}`);
    const stream = redactionStream(['some-secret']);
    let held = 0;
    for (let written = 0; written < 2_000_000; written += 10_000) {
      stream.write('y'.repeat(10_000));
      held += 10_000 - String(stream.read() ?? '').length;
    }
    expect(held).toBeLessThan(200_000);
    stream.end();
  });
});

test('redacts a megabyte of log without being noticed', () => {
  const line = `${readFileSync(new URL(import.meta.url), 'utf8')
    .slice(0, 200)
    .replaceAll('\n', ' ')}\n`;
  const text = line.repeat(Math.ceil(1_000_000 / line.length));
  const took = processorSeconds(() => redactor(['first-secret-value', 'second-secret-value'])(text));
  expect(took).toBeLessThan(muchWork);
});
