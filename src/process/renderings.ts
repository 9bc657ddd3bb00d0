/**
 * The forms in which one secret may appear in an output: as it is, quoted for a shell, escaped in JSON or Python,
 * percent-encoded, and in base64 wherever it may stand in the encoded bytes.
 */
import { quote } from './command.ts';

// A shorter value hides nothing when it is masked, and masking it would garble every text.
const SHORTEST_SECRET = 4;
// Lines of a key or certificate are secrets of their own, because logs print them one by one.
const SHORTEST_LINE = 8;

/** Return every rendering of the secret, without duplicates; none for a value too short to be worth hiding. */
export function renderings(secret: string): string[] {
  if (secret.length < SHORTEST_SECRET) return [];
  const lines = secret.split(/\r?\n/).filter((line) => line !== secret && line.length >= SHORTEST_LINE);
  const forms = new Set([secret, ...lines].flatMap(textForms));
  const all = new Set([...forms, ...[...forms].flatMap(base64Forms)]);
  return [...all].filter((form) => form.length >= SHORTEST_SECRET);
}

function textForms(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  return [
    text,
    json,
    JSON.stringify(json).slice(1, -1),
    asciiJson(json),
    ...(text.includes('\0') ? [] : [unquoted(quote(text)), text.replaceAll("'", `'\\''`)]),
    text.replace(/[\\']/g, (character) => `\\${character}`),
    encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8')),
  ];
}

/** What stands inside the outermost quotes: more of the text around it is left readable. */
const unquoted = (quoted: string): string => (/^'[^']*'$/.test(quoted) ? quoted.slice(1, -1) : quoted);

/** Python's json module writes everything beyond ASCII as \uXXXX. */
const asciiJson = (json: string): string =>
  json.replace(/[^\0-\x7F]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * The characters of base64 that depend on nothing but the secret, for each of the three positions at which it can
 * stand relative to a group of three bytes, in both alphabets.
 */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8');
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const firstOwn = [0, 2, 3][offset] ?? 0;
    const isWhole = (offset + bytes.length) % 3 === 0;
    const own = encoded.slice(firstOwn, isWhole ? undefined : -1);
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
