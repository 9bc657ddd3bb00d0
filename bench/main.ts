/** Runs one benchmark by name, or lists them. Progress goes to stderr; stdout gets one line of JSON. */
import { parseArgs } from 'node:util';
import { b0 } from './b0.ts';
import { b16 } from './b16.ts';
import { b2 } from './b2.ts';
import { b8 } from './b8.ts';
import { b9 } from './b9.ts';
import { keep } from './results.ts';

const all = [b0, b2, b8, b9, b16];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    lab: { type: 'string' },
    rounds: { type: 'string' },
    full: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const [asked] = positionals;
const chosen = all.find(({ name }) => name === asked?.toUpperCase());

if (asked === undefined) {
  for (const { name, summary } of all) console.log(`${name.padEnd(4)} ${summary}`);
} else if (chosen === undefined) {
  console.error(`there is no benchmark ${asked}; there are ${all.map(({ name }) => name).join(', ')}`);
  process.exitCode = 2;
} else {
  const record = await chosen.run({
    log: (sentence) => {
      console.error(`${chosen.name}: ${sentence}`);
    },
    isFull: values.full,
    ...(values.lab !== undefined && { attachTo: values.lab }),
    ...(values.rounds !== undefined && { rounds: Number(values.rounds) }),
  });
  if (values.keep) await keep(record, values.full);
  console.log(JSON.stringify(record));
}
