/**
 * A cluster of two architectures: an aarch64 host, emulated, does everything that a Thor would do, from placing to its
 * rank of the pipeline.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { parseDocument } from 'yaml';
import type { BringUpReport } from '../../src/cluster/report.ts';
import { demandSuccess } from '../lab/start-over.ts';
import { unitPids } from '../lab/ledger.ts';
import { Stage, repository } from '../lab/stage.ts';

// Every instruction of one host is translated; it needs minutes for what the other does in seconds.
jest.setTimeout(900_000);

const names = ['spark-ea8e', 'thorx'];
let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start({ name: 'aarch64', only: names, aarch64: ['thorx'] });
});
afterAll(async () => {
  await stage.stop();
});

/** The lab's cluster file with these two nodes only, one pipeline stage each. */
async function writeClusterFile(): Promise<string> {
  const document = parseDocument(await readFile(join(repository, 'examples/lab.yaml'), 'utf8'));
  const { nodes } = document.toJS() as { nodes: { name: string }[] };
  document.set(
    'nodes',
    nodes.filter(({ name }) => names.includes(name)),
  );
  document.setIn(['parallel', 'pipeline'], names.length);
  const path = join(stage.lab.operator, 'two.yaml');
  await writeFile(path, document.toString());
  return path;
}

test('is brought up from placing to an answer through both', async () => {
  const file = await writeClusterFile();
  const result = await stage.windlass(['up', file, '--json']);
  demandSuccess(result);
  const report = JSON.parse(result.stdout) as BringUpReport;
  expect(report.answer.tokens).toBeGreaterThan(0);
  const thor = stage.lab.host('thorx');
  const script =
    'cd ~/.local/share/windlass; workers/current/bin/node -p process.arch; ' +
    'for python in envs/*/bin/python; do $python -c "import platform; print(platform.machine())"; done';
  const { stdout } = await thor.exec(['sh', '-ec', script], { user: 'dgx' });
  expect(new Set(stdout.trim().split('\n'))).toEqual(new Set(['arm64', 'aarch64']));
  expect(Object.keys(await unitPids(thor)).some((unit) => unit.startsWith('windlass-ray'))).toBe(true);
});
