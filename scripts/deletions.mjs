/**
 * `npm run deletions`: takes what windlass rests on out of a copy of the sources, one place at a time, and shows that a
 * test turns red. A place that nobody would miss ends with exit code 1.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const copied = ['activities', 'src', 'workers', 'workflows', 'test', 'package.json', 'jest.config.mjs'];

/** What is deleted, or what stands there instead, and the unit tests that must miss it. */
const places = [
  {
    what: 'observation: is the work of an act done already?',
    file: 'activities/acts.ts',
    from: ' || (await act.isDone())',
    tests: 'activities/acts',
  },
  {
    what: 'observation: was this machine booted since a process was noted?',
    file: 'src/process/identity.ts',
    from: ' && bootId === bootIdOfMachine()',
    tests: 'process/identity',
  },
  {
    what: 'observation: does another process have the pid now?',
    file: 'src/process/identity.ts',
    from: 'Number(fields[19]) === startTicks && ',
    tests: 'process/identity',
  },
  {
    what: 'observation: has a gang that listens lost a rank?',
    file: 'src/cluster/found.ts',
    from: 'const isBroken = listening\n',
    to: 'const isBroken = false\n',
    tests: 'cluster/changes',
  },
  {
    what: 'observation: has a node lost a daemon of Ray?',
    file: 'src/cluster/facts/loss.ts',
    from: "if (missingDaemon(members.map(commandLineOf)) !== null) return 'daemon';",
    tests: 'facts/parse',
  },
  {
    what: 'the fence: has a newer run acted on this node?',
    file: 'activities/ownership.ts',
    from: "if (later(owner.fence, run.fence)) throw fail('FENCED', { by: owner.fence.run });",
    tests: 'activities/ownership',
  },
  {
    what: 'confirmation: is the installed set what the lock wants?',
    file: 'activities/installed.ts',
    from: 'if (!equal) return false;',
    tests: 'activities/installed',
  },
  {
    what: 'confirmation: is a model whole?',
    file: 'activities/model.ts',
    from: 'if (!(await stat(join(folder, shard)).catch(() => null))) {',
    to: 'if (shard === null) {',
    tests: 'activities/model',
  },
  {
    what: 'confirmation: does the completion hold text?',
    file: 'activities/api-client.ts',
    from: "if (!parsed.success || answer.trim() === '')",
    to: 'if (!parsed.success)',
    tests: 'activities/smoke',
  },
  {
    what: 'confirmation: are the ports free after a stop?',
    file: 'activities/stop.ts',
    from: "if (what !== 'all' || hadSome) await portsFree(ports, keep);",
    tests: 'activities/stop',
  },
  {
    what: 'confirmation: is GPU memory free after a stop?',
    file: 'activities/stop.ts',
    from: 'await gpuMemoryFree(ended);',
    tests: 'activities/stop',
  },
  {
    what: 'observation: have ranks outlived their engine?',
    file: 'src/cluster/found.ts',
    from: 'const hasOldRanks = !engine && (ranks[at] ?? 0) > 0;',
    to: 'const hasOldRanks = false;',
    tests: 'cluster/changes',
  },
];

let missed = 0;
for (const place of places) {
  const isNoticed = withoutIt(place);
  if (!isNoticed) missed += 1;
  console.log(`${place.what} … ${isNoticed ? 'a test turns red' : `NOBODY MISSES IT (${place.file})`}`);
}
console.log(`${places.length - missed} passed, ${missed} failed`);
process.exit(missed === 0 ? 0 : 1);

/** Are the tests green with the place and red without it? */
function withoutIt({ file, from, to = '', tests }) {
  const copy = mkdtempSync(join(tmpdir(), 'windlass-deletion-'));
  try {
    for (const name of copied) cpSync(join(root, name), join(copy, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    if (!isGreen(copy, tests)) throw new Error(`the tests of ${tests} are red before anything is deleted`);
    const text = readFileSync(join(copy, file), 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${file} does not hold once: ${from}`);
    writeFileSync(
      join(copy, file),
      text.replace(from, () => to),
    );
    return !isGreen(copy, tests);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function isGreen(folder, tests) {
  const jest = ['node_modules/jest/bin/jest.js', '--selectProjects', 'unit', '--runInBand'];
  const { status } = spawnSync(
    process.execPath,
    ['--experimental-vm-modules', ...jest, '--testPathPatterns', tests],
    { cwd: folder, stdio: 'ignore' },
  );
  return status === 0;
}
