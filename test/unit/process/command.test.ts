import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type Command, displayCommand, quote, renderCommand } from '../../../src/process/command.ts';
import { runs } from '../../support/property.ts';

const command = (changes: Partial<Command>): Command => ({ file: 'ls', args: [], ...changes });

/** Everything that a shell might take for something else, mixed with ordinary text. */
const hostile = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ unit: fc.constantFrom(...`'"\\$\`!*?[]{}()<>|&;~#=%^ \n\t\r-ab`.split('')), maxLength: 12 }),
  fc.constantFrom(
    '$(touch /tmp/pwn)',
    '`id`',
    '; id',
    '&& id',
    '| sh',
    "'; id; '",
    '"$IFS"',
    '-oProxyCommand=x',
    '',
  ),
);
const argument = hostile.map((text) => text.replaceAll('\0', ''));

const shells = ['/bin/sh', '/bin/bash', '/bin/dash', '/usr/bin/zsh', '/usr/bin/fish'].filter(existsSync);

describe('quote', () => {
  test.each([
    ['plain', 'plain'],
    ['', "''"],
    ['a b', "'a b'"],
    ["it's", "'it'\\''s'"],
    ['back\\slash', "'back'\\\\'slash'"],
    ['$(id)', "'$(id)'"],
    ['=zsh', "'=zsh'"],
    ['~', "'~'"],
    ['--flag=value', '--flag=value'],
    ['10%', "'10%'"],
    ['new\nline', "'new\nline'"],
  ])('%j becomes %s', (text, quoted) => {
    expect(quote(text)).toBe(quoted);
  });

  test.each(shells)('what it quotes, %s reads as the same arguments', (shell) => {
    const many = fc.array(argument, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(many, (words) => {
        const script = `/usr/bin/printf '%s\\0' ${words.map(quote).join(' ')}`;
        const output = execFileSync(shell, ['-c', script], { encoding: 'utf8' });
        expect(output.split('\0').slice(0, -1)).toEqual(words.map((word) => Buffer.from(word).toString()));
      }),
      runs(60),
    );
  });

  test('refuses a NUL character, which no argument can carry', () => {
    expect(() => quote('a\0b')).toThrow('NUL');
  });
});

describe('renderCommand', () => {
  test.each<[string, Command, string]>([
    ['a plain command', command({ args: ['-l', '/tmp'] }), 'exec ls -l /tmp'],
    ['hostile arguments', command({ args: ['$(id)', "a'b"] }), "exec ls '$(id)' 'a'\\''b'"],
    ['variables', command({ env: { A: '1 2', B_C: '' } }), "exec env A='1 2' B_C='' ls"],
    ['a folder', command({ cwd: '/srv/my data' }), "cd '/srv/my data' && exec ls"],
  ])('renders %s', (_what, value, line) => {
    expect(renderCommand(value)).toBe(line);
  });

  test.each<[string, Partial<Command>, string]>([
    ['a program that looks like an option', { file: '-rf' }, '-rf is not the name of a program'],
    ['a program that looks like a variable', { file: 'A=b' }, 'A=b is not the name of a program'],
    ['no program', { file: '' }, 'an empty name is not the name of a program'],
    ['a variable name that is code', { env: { 'A;id': '1' } }, 'A;id is not a variable name'],
    ['a relative folder', { cwd: 'here' }, 'here is not an absolute path'],
    ['NUL in a variable', { env: { A: 'x\0y' } }, 'cannot contain a NUL character: x\\0y'],
  ])('refuses %s', (_what, changes, message) => {
    expect(() => renderCommand(command(changes))).toThrow(message);
  });

  test.each(shells)('%s runs it with exactly these arguments and variables', (shell) => {
    fc.assert(
      fc.property(argument, argument, (word, value) => {
        const script = 'printf "%s\\0%s\\0" "$1" "$WINDLASS_X"';
        const line = renderCommand({
          file: 'sh',
          args: ['-c', script, 'x', word],
          env: { WINDLASS_X: value },
        });
        const [seenWord, seenValue] = execFileSync(shell, ['-c', line], { encoding: 'utf8' }).split('\0');
        expect([seenWord, seenValue]).toEqual([word, value].map((text) => Buffer.from(text).toString()));
      }),
      runs(30),
    );
  });
});

describe('displayCommand', () => {
  test('masks secrets and spells out control characters', () => {
    const shown = displayCommand(
      command({ args: ['--key', 's3cret', 'a\u001B[2J\u202Eb'], secretArgs: [1] }),
    );
    expect(shown).toBe("ls --key *** 'a\\u{1B}[2J\\u{202E}b'");
  });

  test('never holds a control character, and never a secret argument', () => {
    const secret = fc.string({ minLength: 8, maxLength: 20, unit: 'binary' });
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), secret, (words, hidden) => {
        const shown = displayCommand(command({ args: [...words, hidden], secretArgs: [words.length] }));
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(shown.endsWith(' ***')).toBe(true);
      }),
    );
  });
});
