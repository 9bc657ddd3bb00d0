/** Judge arguments that a person wrote against a table of options: known, complete, not ours, not dangerous. Pure. */
import type { ArgumentProblem, OptionKind } from './engine.ts';

/** What is known about an engine's command line. */
export interface OptionTable {
  readonly engine: string;
  readonly options: ReadonlyMap<string, OptionKind>;
  /** Set by this program: option → field to use instead. */
  readonly owned: Readonly<Record<string, string>>;
  /** Never allowed: option → reason. */
  readonly refused: Readonly<Record<string, string>>;
  readonly allowedValues: Readonly<
    Record<string, { readonly values: readonly string[]; readonly why: string }>
  >;
  /** Options of another engine → field that means the same. */
  readonly foreign: Readonly<Record<string, string>>;
}

/** Judge each argument, with the values that belong to it. Values of options are free text and reach the engine literally. */
export function checkArguments(table: OptionTable, extra: readonly string[]): ArgumentProblem[] {
  const problems: ArgumentProblem[] = [];
  for (let index = 0; index < extra.length;) {
    const given = readOption(table, extra, index);
    const message = judge(table, given);
    if (message !== undefined) problems.push({ index, message });
    index += given.length;
  }
  return problems;
}

interface Given {
  /** The option, without what stands behind its `=`. */
  readonly name: string;
  readonly inline: boolean;
  readonly values: readonly string[];
  /** How many entries of the list it takes. */
  readonly length: number;
}

/** Negative numbers are values, as in `--chunked-prefill-size -1`. */
const isValue = (text: string | undefined): text is string =>
  text !== undefined && (!text.startsWith('-') || /^-[0-9.]+$/.test(text));

function readOption(table: OptionTable, extra: readonly string[], index: number): Given {
  const whole = extra[index] ?? '';
  const equals = whole.startsWith('--') ? whole.indexOf('=') : -1;
  const name = equals === -1 ? whole : whole.slice(0, equals);
  if (equals !== -1) return { name, inline: true, values: [whole.slice(equals + 1)], length: 1 };
  const kind = table.options.get(name);
  // What follows an option that is not known is taken for its value, so that one mistake is told once.
  const most = kind === 'flag' || !name.startsWith('--') ? 0 : kind === 'value' ? 1 : extra.length;
  const values: string[] = [];
  while (values.length < most) {
    const next = extra[index + 1 + values.length];
    if (!isValue(next)) break;
    values.push(next);
  }
  return { name, inline: false, values, length: 1 + values.length };
}

/** Only names of options are shown, never their values. */
const longestName = 80;

function judge(table: OptionTable, given: Given): string | undefined {
  const name = given.name.length > longestName ? `${given.name.slice(0, longestName)}…` : given.name;
  if (!name.startsWith('--')) {
    return 'is not an option; an option and its value are two entries, and options begin with two dashes';
  }
  if (/\s/.test(name)) return 'has a space in it; an option and its value are two entries of the list';
  const kind = table.options.get(name);
  if (Object.hasOwn(table.owned, name)) return ownedSentence(name, table.owned[name] ?? '');
  if (Object.hasOwn(table.refused, name)) return `${name} ${table.refused[name]}; it is refused`;
  return kind === undefined ? unknownSentence(table, name) : judgeValues(table, given, kind);
}

const ownedSentence = (name: string, field: string): string =>
  `${name} is set by this program; remove it from extraArguments and use ${field}`;

function judgeValues(
  table: OptionTable,
  { name, inline, values }: Given,
  kind: OptionKind,
): string | undefined {
  if (kind === 'flag') return inline ? `${name} takes no value` : undefined;
  if (values.length === 0) return `${name} needs a value, as the next entry of the list`;
  const allowed = Object.hasOwn(table.allowedValues, name) ? table.allowedValues[name] : undefined;
  if (allowed === undefined || values.every((value) => allowed.values.includes(value))) return undefined;
  return `${name} must be ${allowed.values.join(', ')}: ${allowed.why}`;
}

/** argparse takes beginnings of options for the whole, and says too late that it found more than one. */
function unknownSentence(table: OptionTable, name: string): string {
  const whole = [...table.options.keys()].filter((option) => option.startsWith(name));
  const owned = whole.find((option) => Object.hasOwn(table.owned, option));
  if (owned !== undefined && name.length > 2) {
    return `${name} is short for ${owned}, which is set by this program; use ${table.owned[owned]}`;
  }
  if (whole.length > 0 && name.length > 2) {
    return `${name} is an abbreviation; write ${whole.slice(0, 3).join(' or ')} in full`;
  }
  const instead = Object.hasOwn(table.foreign, name) ? table.foreign[name] : undefined;
  return `engine.${table.engine} has no option ${name}${instead === undefined ? '' : `; use ${instead}`}`;
}
