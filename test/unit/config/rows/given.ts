/** Ways to put one wrong thing into the sample; each returns the sections that replace its own. */
import type { Given } from '../sample.ts';

/** What is written, a text on the line that it stands on, the path, and a part of the sentence that must come. */
export type Row = readonly [title: string, given: Given, at: string, path: string, says: string];

export const nodes = (...lines: string[]): Given => ({ nodes: ['nodes:', ...lines].join('\n') });

export const twoNodes = (second: string): Given =>
  nodes('  - { name: spark-1, address: 10.0.0.25 }', `  - ${second}`);

export const address = (text: string): Given => twoNodes(`{ name: spark-2, address: ${text} }`);

export const ssh = (text: string): Given =>
  twoNodes(`{ name: spark-2, address: 10.0.0.22, ssh: { ${text} } }`);

export const serving = (line: string): Given => ({ more: `serving:\n  ${line}` });

/** More arguments for the engine. */
export const extra = (...list: string[]): Given => serving(`extraArguments: ${JSON.stringify(list)}`);

export const variables = (line: string): Given => ({
  more: `environments:\n  spark:\n    variables:\n      ${line}`,
});
