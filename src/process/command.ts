/**
 * A command is a value: a program and its arguments, never a string for a shell. Locally it is run as it stands;
 * for ssh, whose protocol carries one string to the user's login shell, it is rendered here and nowhere else.
 */
import { fail } from '../errors.ts';
import { escapeLine } from './escape.ts';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Variables set for the command, beside those that it inherits. */
  readonly env?: Readonly<Record<string, string>>;
  /** Absolute path of the folder to run in. */
  readonly cwd?: string;
  /** Indices into `args` that are masked when the command is shown to people. */
  readonly secretArgs?: readonly number[];
}

/** What stands in the place of a secret. */
export const MASK = '***';

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

// Needs no quotes in any position of any shell: no leading `=` (zsh), no `%` (fish), no `~`.
const PLAIN = /^[A-Za-z0-9_/.:@+,-][A-Za-z0-9_/.:@+,=-]*$/;

/**
 * Return the argument quoted so that sh, bash, dash, zsh and fish all read exactly these characters.
 * Throws USAGE for a NUL character, which no argument can carry.
 */
export function quote(argument: string): string {
  refuseNul(argument);
  if (argument === '') return "''";
  if (PLAIN.test(argument)) return argument;
  // Between single quotes fish reads \' and \\ as escapes and sh does not; outside quotes they agree.
  return argument.replace(/[^'\\]+|['\\]/g, (part) =>
    part === "'" || part === '\\' ? `\\${part}` : `'${part}'`,
  );
}

/**
 * Return the one line that makes a login shell run exactly this command. It is exec'd, so that a signal which ends
 * the command is seen as a signal and not as an exit code of the shell. Throws USAGE for a command no shell can run.
 */
export function renderCommand(command: Command): string {
  assertRunnable(command);
  const environment = Object.entries(command.env ?? {}).map(([name, value]) => `${name}=${quote(value)}`);
  const words = [
    ...(command.cwd === undefined ? [] : ['cd', quote(command.cwd), '&&']),
    'exec',
    ...(environment.length === 0 ? [] : ['env', ...environment]),
    quote(command.file),
    ...command.args.map(quote),
  ];
  return words.join(' ');
}

/** Return the command as people read it: secrets masked, control characters spelled out, one line. */
export function displayCommand(command: Command): string {
  const secrets = new Set(command.secretArgs);
  const words = [
    ...Object.entries(command.env ?? {}).map(([name, value]) => `${name}=${showWord(value)}`),
    showWord(command.file),
    ...command.args.map((argument, index) => (secrets.has(index) ? MASK : showWord(argument))),
  ];
  return words.join(' ');
}

/** Refuse what cannot be run as it is written, with USAGE, before any process or connection sees it. */
export function assertRunnable(command: Command): void {
  const { file, args, env = {}, cwd } = command;
  for (const text of [file, ...args, ...Object.values(env), cwd ?? '']) refuseNul(text);
  if (file === '' || file.startsWith('-') || file.includes('=')) {
    throw fail('USAGE', { message: `${escapeLine(file) || 'an empty name'} is not the name of a program` });
  }
  if (cwd !== undefined && !cwd.startsWith('/')) {
    throw fail('USAGE', { message: `${escapeLine(cwd)} is not an absolute path` });
  }
  const badName = Object.keys(env).find((name) => !VARIABLE_NAME.test(name));
  if (badName !== undefined) {
    throw fail('USAGE', { message: `${escapeLine(badName) || 'an empty name'} is not a variable name` });
  }
}

const showWord = (word: string): string => escapeLine(word.includes('\0') ? word : quote(word));

function refuseNul(text: string): void {
  if (text.includes('\0')) {
    throw fail('USAGE', { message: `an argument cannot contain a NUL character: ${escapeLine(text)}` });
  }
}
