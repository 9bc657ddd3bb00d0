/** Text that comes from a node is shown to people: it is made harmless here, once, and kept short. */

/** Control characters, bidirectional overrides, zero-width characters, byte-order marks, lone surrogates. */
const invisible =
  // eslint-disable-next-line no-control-regex -- these are exactly the characters that must not reach a terminal
  /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/gu;

/** One line without a character that a terminal would act on; at most `max` characters. */
export function harmless(text: string, max = 300): string {
  const escaped = text
    .slice(0, max * 2)
    .replace(invisible, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return escaped.length <= max ? escaped : `${escaped.slice(0, max - 1)}…`;
}

/** The beginning of an answer that nobody understood. */
export function firstBytes(text: string): string {
  return harmless(text, 120);
}

/** The first line, made harmless; null when there is none. */
export function firstLine(text: string | null, max?: number): string | null {
  const line = text?.split('\n', 1)[0]?.trim();
  return line === undefined || line === '' ? null : harmless(line, max);
}

/** The lines that hold something. */
export function lines(text: string | null): string[] {
  return text === null ? [] : text.split('\n').filter((line) => line.trim() !== '');
}

/** A whole number, or null for anything else ("[N/A]", "", "12 MiB"). */
export function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^[0-9]{1,16}$/.test(text.trim()) ? Number(text) : null;
}
