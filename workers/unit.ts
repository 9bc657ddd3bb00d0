/**
 * The main process of every unit that a run starts: runs one program from a 0600 file, writes its output, redacted,
 * to a log, and records in the ledger that it began and how it ended. It outlives node workers and activities.
 */
import { superviseUnit } from '../src/process/supervise.ts';

const [specPath] = process.argv.slice(2);
if (specPath === undefined) throw new Error('usage: unit.js SPEC');
// What the program has left behind may hold its pipes, and with them this process; systemd ends it with the unit.
process.exit(await superviseUnit(specPath));
