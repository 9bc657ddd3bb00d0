/** Takes the answer of facts.sh apart into frames. No content can break a frame: its length stands before it. */
import { fail } from '../../errors.ts';
import { firstBytes } from './text.ts';

const begin = 'windlass-facts 1\n';
const end = '\nwindlass-facts end';
// Twice what the largest node gave (500 processes, ten environments); a larger answer is not ours.
const maxLength = 6_000_000;
const newline = 10;

/** Frames by name, in the order of the script; one name may come several times. */
export type Frames = ReadonlyMap<string, readonly string[]>;

/** Decode the answer; FACT_UNREADABLE when it is none, is cut short, or is too large. */
export function readFrames(answer: string): Frames {
  const start = answer.indexOf(begin);
  const stop = answer.indexOf(end, start);
  if (start < 0 || stop < 0 || answer.length > maxLength) throw unreadable('all', answer);
  const bytes = decodeBase64(answer.slice(start + begin.length, stop));
  const frames = bytes && splitFrames(bytes);
  if (!frames?.has('end')) throw unreadable('all', answer);
  return frames;
}

/** The content of the one frame of this name; null when the node sent none. */
export function frameOf(frames: Frames, name: string): string | null {
  return frames.get(name)?.[0] ?? null;
}

/** All contents under a name. */
export function framesOf(frames: Frames, name: string): readonly string[] {
  return frames.get(name) ?? [];
}

/** Frames whose names begin with `prefix`, by the rest of their names. */
export function framesUnder(frames: Frames, prefix: string): [rest: string, content: string][] {
  return [...frames].flatMap(([name, contents]) =>
    name.startsWith(prefix)
      ? contents.map((content): [string, string] => [name.slice(prefix.length), content])
      : [],
  );
}

/** The error for a fact that must be there and is not; it carries the first bytes, escaped. */
export function unreadable(fact: string, answer: string | null): Error {
  return fail('FACT_UNREADABLE', { fact, answer: answer === null ? 'nothing' : firstBytes(answer) });
}

function decodeBase64(text: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

function splitFrames(bytes: Uint8Array): Map<string, string[]> | null {
  const decoder = new TextDecoder();
  const frames = new Map<string, string[]>();
  for (let at = 0; at < bytes.length;) {
    const lineEnd = bytes.indexOf(newline, at);
    const header = /^== ([A-Za-z0-9._/-]{1,200}) ([0-9]{1,8})$/.exec(
      decoder.decode(bytes.subarray(at, lineEnd < 0 ? at : lineEnd)),
    );
    const [, name = '', size = ''] = header ?? [];
    const contentEnd = lineEnd + 1 + Number(size);
    if (!header || bytes[contentEnd] !== newline) return null;
    const content = decoder.decode(bytes.subarray(lineEnd + 1, contentEnd));
    const list = frames.get(name);
    if (list) list.push(content);
    else frames.set(name, [content]);
    at = contentEnd + 1;
  }
  return frames;
}
