/**
 * Masks secrets in text before it is shown, logged or sent: the known ones by value in every rendering, unknown
 * ones by the name of the key that they stand behind. Redact first, truncate afterwards.
 */
import { StringDecoder } from 'node:string_decoder';
import { Transform } from 'node:stream';
import { MASK } from './command.ts';
import { renderings } from './renderings.ts';

export type Redact = (text: string) => string;

/** Return a function that masks these secrets, and whatever stands behind a key that names a secret. */
export function redactor(secrets: readonly string[]): Redact {
  const forms = formsOf(secrets);
  return (text) => {
    const spans = [...keySpans(text), ...valueSpans(text, forms), ...brokenOffSpans(text, forms)];
    return mask(text, spans);
  };
}

// A log line longer than this is passed on in pieces; a whole `server_args=` line has about 10 KiB.
const LONGEST_LINE = 64 * 1024;
// Held back of such a piece: enough for a key and the start of its value.
const HELD_BACK = 4 * 1024;

/** Return a stream that redacts UTF-8 text line by line; where its chunks are cut makes no difference. */
export function redactionStream(secrets: readonly string[]): Transform {
  const forms = formsOf(secrets);
  const decoder = new StringDecoder('utf8');
  let pending = '';
  const release = (text: string): string => {
    pending += text;
    const spans = [...keySpans(pending), ...valueSpans(pending, forms)];
    const end = safeEnd(pending, spans, forms);
    const ready = pending.slice(0, end);
    pending = pending.slice(end);
    return mask(ready, spans);
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, release(decoder.write(chunk)));
    },
    flush(done) {
      pending += decoder.end();
      const spans = [...keySpans(pending), ...valueSpans(pending, forms), ...brokenOffSpans(pending, forms)];
      done(null, mask(pending, spans));
    },
  });
}

/** From `start` on the match began, from `maskFrom` to `end` it is hidden. */
interface Span {
  readonly start: number;
  readonly maskFrom: number;
  readonly end: number;
}

// A piece of a secret shorter than this, at a cut edge of a text, is not looked for.
const SHORTEST_PIECE = 8;

// What may stand before the name is left out: looking for it would cost the square of an endless word's length.
const NAMES_A_SECRET =
  '(?:api[_-]?key|passw(?:or)?d|passphrase|secret|secret[_-]key|private[_-]key|credentials?' +
  '|(?:(?<![\\w-])|(?:hf|hub|access|auth|api|refresh|session|bearer)[_-])token)';
const NOT_A_SECRET = '(?!(?:None|null|true|false|[\\d.]+)(?![^\\s,;)}\\]]))';

const KEY_PATTERNS: readonly RegExp[] = [
  // api_key='…', "token": "…", --api-key "…"
  new RegExp(
    `${NAMES_A_SECRET}["']?(?:\\s*[=:]\\s*|\\s+)(?<value>"(?:\\\\.|[^"\\\\\\n])*"|'(?:\\\\.|[^'\\\\\\n])*')`,
    'dgi',
  ),
  // HF_TOKEN=…, password: …
  new RegExp(`${NAMES_A_SECRET}["']?\\s*[=:]\\s*${NOT_A_SECRET}(?<value>[^\\s"',;)}\\]&]+)`, 'dgi'),
  // --api-key …
  new RegExp(`--[\\w-]{0,40}?${NAMES_A_SECRET}\\s+${NOT_A_SECRET}(?<value>[^\\s"'-][^\\s"']*)`, 'dgi'),
  /\b(?:Bearer|Basic)\s+(?<value>[\w.~+/=-]{8,})/dgi,
  /\b(?<value>hf_[A-Za-z0-9]{16,})/dg,
  // https://user:password@host
  /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]{0,200}:(?<value>[^\s/@]+)@/dgi,
];

const formsOf = (secrets: readonly string[]): string[] => [...new Set(secrets.flatMap(renderings))];

function keySpans(text: string): Span[] {
  return KEY_PATTERNS.flatMap((pattern) =>
    [...text.matchAll(pattern)].flatMap((match) => {
      const value = match.indices?.groups?.['value'];
      return value === undefined ? [] : [{ start: match.index, maskFrom: value[0], end: value[1] }];
    }),
  );
}

/** Every occurrence, overlapping ones too: in a run of equal characters a secret begins more than once. */
function valueSpans(text: string, forms: readonly string[]): Span[] {
  return forms.flatMap((form) => {
    const spans: Span[] = [];
    for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1)) {
      spans.push({ start: at, maskFrom: at, end: at + form.length });
    }
    return spans;
  });
}

/** The text may have been cut out of a longer one: the rest of a secret at its start, the beginning of one at its end. */
function brokenOffSpans(text: string, forms: readonly string[]): Span[] {
  return forms.flatMap((form) => {
    const spans: Span[] = [];
    const head = longest(form, text.length, (length) => text.startsWith(form.slice(-length)));
    if (head >= SHORTEST_PIECE) spans.push({ start: 0, maskFrom: 0, end: head });
    const begun = longest(form, text.length, (length) => text.endsWith(form.slice(0, length)));
    if (begun >= SHORTEST_PIECE) {
      spans.push({ start: text.length - begun, maskFrom: text.length - begun, end: text.length });
    }
    return spans;
  });
}

/** The greatest proper length of a piece of the form that fits, or 0. */
function longest(form: string, room: number, fits: (length: number) => boolean): number {
  for (let length = Math.min(form.length - 1, room); length > 0; length--) if (fits(length)) return length;
  return 0;
}

/** How much of the pending text can be passed on: whole lines, and never a part of something that is hidden. */
function safeEnd(pending: string, spans: readonly Span[], forms: readonly string[]): number {
  let end = pending.lastIndexOf('\n') + 1;
  if (end === 0 && pending.length > LONGEST_LINE) end = pending.length - HELD_BACK;
  for (const form of forms) {
    const begun = longest(form, pending.length, (length) => pending.endsWith(form.slice(0, length)));
    end = Math.min(end, pending.length - begun);
  }
  let crossing = spans.find((span) => span.start < end && end < span.end);
  while (crossing !== undefined) {
    end = crossing.start;
    crossing = spans.find((span) => span.start < end && end < span.end);
  }
  // A hidden value that fills the whole buffer cannot be waited for: it is let go, masked.
  return end === 0 && pending.length > 2 * LONGEST_LINE ? pending.length : end;
}

function mask(text: string, spans: readonly Span[]): string {
  const sorted = spans
    .filter((span) => span.maskFrom < text.length)
    .toSorted((a, b) => a.maskFrom - b.maskFrom);
  let result = '';
  let done = 0;
  for (const span of sorted) {
    if (span.end <= done) continue;
    if (span.maskFrom >= done) result += text.slice(done, span.maskFrom) + MASK;
    done = span.end;
  }
  return result + text.slice(done);
}
