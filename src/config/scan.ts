/**
 * Looks at the bytes and the tokens of a cluster file before a parser builds anything from them: size, encoding,
 * depth, and the parts of YAML that are not used here. Time is bounded whatever the file holds.
 */
import { Lexer } from 'yaml';
import type { Problem } from './problems.ts';

/** A cluster file of 1,000 nodes has about 100 KB. */
export const maxBytes = 256 * 1024;
/** The schema is five levels deep. */
const maxDepth = 32;
/** Leading spaces and dashes of one line; deeper text nests without brackets. */
const maxIndent = 128;
/** A thousand nodes with all their settings have 40,000; the parser needs up to 10 µs for each. */
const maxTokens = 50_000;

type Decoded = { readonly text: string } | { readonly problem: Problem };

const at = (line: number | null, message: string): Problem => ({ line, path: '', message });

/** Read the bytes as UTF-8, or say what they are instead. */
export function decode(bytes: Uint8Array): Decoded {
  const [first = 0, second = 0, third = 0] = bytes;
  const utf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const nul = bytes.indexOf(0);
  if (utf16 || (nul !== -1 && nul < 4)) return { problem: at(1, 'is UTF-16; save it as UTF-8') };
  if (first === 0xef && second === 0xbb && third === 0xbf) {
    return { problem: at(1, 'begins with a byte-order mark; save it as UTF-8 without one') };
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    const lossy = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    return { problem: at(lineAt(lossy, lossy.indexOf('\ufffd')), 'holds bytes that are not UTF-8') };
  }
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let end = text.indexOf('\n'); end !== -1 && end < offset; end = text.indexOf('\n', end + 1)) line++;
  return line;
}

/** Problems that can be seen without parsing; when there are any, the text is not parsed. */
export function scan(text: string): Problem[] {
  const lines = text.split('\n');
  const indented = lines.findIndex(
    (line) => (/^(?:[ \t]|[-?:][ \t])*/.exec(line)?.[0].length ?? 0) > maxIndent,
  );
  if (indented !== -1) return [at(indented + 1, 'is nested too deeply')];
  return scanTokens(text);
}

/** Marks of the lexer that stand for no character of the text: a scalar follows, a document begins, a flow is broken. */
const controlTokens = new Set(['\u0002', '\u0018', '\u001f']);

function scanTokens(text: string): Problem[] {
  const problems: Problem[] = [];
  let line = 1;
  let depth = 0;
  let tokens = 0;
  let scalarFollows = false;
  for (const token of new Lexer().lex(text)) {
    tokens++;
    if (tokens > maxTokens)
      return [...problems, at(line, `has more than ${maxTokens} YAML tokens; a cluster file is far smaller`)];
    if (controlTokens.has(token)) {
      scalarFollows = token === '\u001f';
      continue;
    }
    if (!scalarFollows) {
      if (token === '[' || token === '{') depth++;
      if (token === ']' || token === '}') depth--;
      if (depth > maxDepth) return [...problems, at(line, 'is nested too deeply')];
      const refused = refusal(token);
      if (refused !== undefined) problems.push(at(line, refused));
    }
    scalarFollows = false;
    for (const character of token) if (character === '\n') line++;
  }
  return problems;
}

function refusal(token: string): string | undefined {
  switch (token.charAt(0)) {
    case '&':
    case '*':
      return 'anchors and aliases are not used here';
    case '!':
      return 'tags are not allowed';
    case '%':
      return 'directives are not used here';
    default:
      return undefined;
  }
}
