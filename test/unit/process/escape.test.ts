import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { escapeBytes, escapeLine, escapeLines } from '../../../src/process/escape.ts';
import { runs } from '../../support/property.ts';

describe('escapeLine', () => {
  test.each([
    ['a terminal sequence', '\u001B[2J', '\\u{1B}[2J'],
    ['the clipboard sequence', '\u001B]52;c;x\u0007', '\\u{1B}]52;c;x\\u{7}'],
    ['a right-to-left override', 'a\u202Eb', 'a\\u{202E}b'],
    ['a zero-width space and a byte-order mark', '\u200B\uFEFF', '\\u{200B}\\u{FEFF}'],
    ['a line end', 'a\r\nb', 'a\\r\\nb'],
    ['a C1 control', '\u009B31m', '\\u{9B}31m'],
    ['a lone surrogate', '\uD800', '\\u{D800}'],
    ['a tag character', '\u{E0041}', '\\u{E0041}'],
    ['a Hangul filler', '\u3164', '\\u{3164}'],
  ])('spells out %s', (_what, text, shown) => {
    expect(escapeLine(text)).toBe(shown);
  });

  test.each(['plain text', 'Grüße, 北京, émoji 🚀', '~/a\\b'])('leaves %j as it is', (text) => {
    expect(escapeLine(text)).toBe(text);
  });

  test('leaves nothing that a terminal would obey', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeLine(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(escapeLines(text)).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
      runs(100),
    );
  });
});

test('escapeLines keeps lines and tabs', () => {
  expect(escapeLines('a\tb\nc\u001B')).toBe('a\tb\nc\\u{1B}');
});

test('escapeBytes shows bytes as one printable line of bounded length', () => {
  expect(escapeBytes(Buffer.from('HTTP/1.1 400\r\n\u0000\u00FF', 'latin1'))).toBe(
    'HTTP/1.1 400\\r\\n\\0\\xff',
  );
  expect(escapeBytes(Buffer.alloc(100, 'a'), 4)).toBe('aaaa…');
});
