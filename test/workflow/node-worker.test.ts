/** The node worker's program itself, when the service is not as it needs it. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, it, jest } from '@jest/globals';
import type { ClosableConnection } from '../../src/temporal/closable.ts';
import { openConnection } from '../../src/temporal/closable.ts';
import { ensureNamespace } from '../../workers/namespace.ts';
import { sharedAddress } from '../support/temporal.ts';

jest.setTimeout(60_000);

let folder: string;
let opened: ClosableConnection;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-programs-'));
  opened = openConnection({ address: sharedAddress() });
});

afterAll(async () => {
  await opened.close();
  await rm(folder, { recursive: true, force: true });
});

it('a node worker waits for a namespace that a service without its store does not have yet', async () => {
  const id = '0123456789abcdef';
  const namespace = `lost-${process.pid}`;
  const settings = join(folder, 'node-worker.json');
  await writeFile(settings, JSON.stringify({ id, root: folder, address: sharedAddress(), namespace }));
  const program = fileURLToPath(new URL('../../workers/node.ts', import.meta.url));
  const worker = spawn(process.execPath, ['--import', 'tsx', program, settings], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const logged = worker.stderr.setEncoding('utf8')[Symbol.asyncIterator]();
  const tells = async (text: string) => {
    for (let log = ''; !log.includes(text);) {
      const { value, done } = await logged.next();
      if (done) throw new Error(`the node worker ended without "${text}": ${log}`);
      log += String(value);
    }
  };
  try {
    await tells(`no namespace ${namespace} yet`);
    await ensureNamespace(opened.connection, namespace);
    // What the SDK says of a worker with activities alone, once it has found its namespace.
    await tells('not polling for workflow tasks');
  } finally {
    worker.kill('SIGKILL');
  }
});
