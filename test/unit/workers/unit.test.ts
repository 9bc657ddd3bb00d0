/** The main process of a unit, as a process of its own. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execa } from 'execa';
import type { UnitSpec } from '../../../src/process/supervise.ts';

const program = fileURLToPath(new URL('../../../workers/unit.ts', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-unit-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function runUnit(script: string) {
  const [log = '', result = '', ledger = '', specPath = '', secret = ''] = [
    ...['log', 'result.json', 'ledger', 'unit.json', 'secret'],
  ].map((name) => join(folder, name));
  const spec: UnitSpec = {
    unit: 'windlass-model-0000000000000000',
    generation: 'g',
    step: 'stage model',
    run: 'r',
    file: 'sh',
    args: ['-c', script],
    env: { PATH: '/usr/bin:/bin' },
    cwd: folder,
    log,
    result,
    ledger,
    secretFiles: [secret],
  };
  await writeFile(specPath, JSON.stringify(spec));
  await writeFile(secret, 'secretsecret');
  const { exitCode } = await execa(process.execPath, ['--import', 'tsx', program, specPath], {
    reject: false,
    stdio: 'ignore',
  });
  return { exitCode, log: await readFile(log, 'utf8'), result: await readFile(result, 'utf8') };
}

test('ends with its program, also where something that it left behind holds its output', async () => {
  // Systemd ends what is left with the unit; here it ends by itself.
  const ended = await runUnit('printf "said and secr"; sleep 20 & exit 3');
  expect(ended).toMatchObject({ exitCode: 3, log: 'said and secr' });
  const { startedAt, endedAt } = JSON.parse(ended.result) as { startedAt: number; endedAt: number };
  expect(endedAt - startedAt).toBeLessThan(6_000);
  expect(Date.now() - endedAt).toBeLessThan(5_000);
});
