/**
 * Text from a node, a hub or an engine is shown to people and written to logs only after it went through here:
 * what a terminal would obey, and what an eye cannot see, becomes visible.
 */

// Controls, formats (bidirectional overrides, zero-width, tags), lone surrogates, line separators, private use,
// and everything else that Unicode says may be drawn as nothing.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0' };

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return SHORT[character] ?? `\\u{${code.toString(16).toUpperCase()}}`;
}

/** Return the text as one line in which every control and invisible character is spelled out. */
export function escapeLine(text: string): string {
  return text.replace(INVISIBLE, visible);
}

/** Return the text with line ends and tabs kept, every other control and invisible character spelled out. */
export function escapeLines(text: string): string {
  return text.replace(INVISIBLE, (character) =>
    character === '\n' || character === '\t' ? character : visible(character),
  );
}

/** Return the value as JSON of one line in which no control or invisible character stands as itself. It parses to the value. */
export function escapedJson(value: unknown): string {
  return JSON.stringify(value).replace(INVISIBLE, (character) =>
    // By UTF-16 units, which JSON's escapes are.
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** Return at most `limit` bytes as one printable line; bytes that are not printable ASCII are shown as `\xNN`. */
export function escapeBytes(bytes: Uint8Array, limit = 64): string {
  const shown = Array.from(bytes.subarray(0, limit), (byte) => {
    const character = String.fromCodePoint(byte);
    if (byte >= 0x20 && byte < 0x7f) return character;
    return SHORT[character] ?? `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return shown.join('') + (bytes.length > limit ? '…' : '');
}
