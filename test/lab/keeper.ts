/**
 * The lab's keeper: the parent of its hosts and relays, so that none is left unreaped whoever asked for it. It
 * starts what it is told to over a Unix socket. Started with `--owned` it takes the lab down when its standard input
 * closes, which is when the process that owns the lab ends, however it ends.
 */
import { spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { StartRequest } from './keeper-client.ts';
import { namesOf } from './names.ts';
import { tearDown } from './tear-down.ts';

const [name = '', mode] = process.argv.slice(2);
const names = namesOf(name);

function start({ file, args, output }: StartRequest): Promise<number> {
  const log = openSync(output, 'a');
  const child = spawn(file, args, { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      resolve(child.pid ?? 0);
    });
  });
}

async function answer(socket: Socket): Promise<void> {
  const question = await text(socket.iterator({ destroyOnReturn: false })); // the answer goes back the same way
  if (question === '') return void socket.end(); // somebody only looked whether the keeper is there
  const request = JSON.parse(question) as StartRequest;
  const reply = await start(request).then(
    (pid) => ({ pid }),
    (error: unknown) => ({ error: String(error) }),
  );
  socket.end(JSON.stringify(reply));
}

async function takeDown(): Promise<void> {
  console.log('the owner of the lab ended: taking it down');
  await tearDown(names.name, { self: true });
  process.exit(0);
}

const server = createServer({ allowHalfOpen: true }, (socket) => {
  answer(socket).catch((error: unknown) => {
    console.error(error);
    socket.destroy();
  });
});
server.listen(names.keeperSocket);
process.once('SIGTERM', () => process.exit(0));
if (mode === '--owned') {
  process.stdin.resume();
  process.stdin.once('close', () => {
    takeDown().catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  });
}
