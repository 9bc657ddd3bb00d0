/**
 * Watches every process of the lab's hosts from outside, ten times a second, and writes a line for each that appears,
 * changes its command line or ends: the witness for "never two at once", whatever the product says of itself.
 * A process of its own, so that nothing that the test waits for can hold it up.
 * usage: sampler.ts OUTPUT HOST=CGROUP-FOLDER…
 */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [output = '', ...hosts] = process.argv.slice(2);
const everyMs = 100;

interface Seen {
  readonly start: number;
  command: string;
}
const known = new Map<string, Map<number, Seen>>();

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function pidsBelow(folder: string): number[] {
  const own = read(join(folder, 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
  let entries: { name: string; isDirectory(): boolean }[] = [];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return own;
  }
  return [
    ...own,
    ...entries.filter((each) => each.isDirectory()).flatMap(({ name }) => pidsBelow(join(folder, name))),
  ];
}

/** Parent and start time; the name in parentheses may hold blanks. */
function statOf(pid: number): { parent: number; start: number } {
  const stat = read(`/proc/${String(pid)}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(fields[1]), start: Number(fields[19]) };
}

function look(host: string, folder: string): void {
  const before = known.get(host) ?? new Map<number, Seen>();
  const now = new Map<number, Seen>();
  const at = Date.now();
  const lines: string[] = [];
  const say = (line: object) => lines.push(`${JSON.stringify({ at, host, ...line })}\n`);
  for (const pid of pidsBelow(folder)) {
    const command = read(`/proc/${String(pid)}/cmdline`)
      .replaceAll('\0', ' ')
      .trim();
    const old = before.get(pid);
    if (old?.command === command) {
      now.set(pid, old);
      continue;
    }
    const { parent, start } = statOf(pid);
    if (Number.isNaN(start)) continue; // It ended while we looked.
    now.set(pid, { start, command });
    say({ pid, start, parent, command });
  }
  for (const [pid, { start }] of before) if (!now.has(pid)) say({ pid, start, ended: true });
  known.set(host, now);
  if (lines.length > 0) appendFileSync(output, lines.join(''));
}

// The lab's keeper started this, and the lab is over when it is.
const keeper = process.ppid;
setInterval(() => {
  if (process.ppid !== keeper) process.exit();
  for (const each of hosts) look(each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1));
}, everyMs);
