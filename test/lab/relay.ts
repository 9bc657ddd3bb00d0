/**
 * Carries connections between a TCP address and a Unix socket. Unix sockets are reached across network namespaces,
 * so two of these, or one and a server, join the lab's network and this machine at one chosen point.
 * usage: relay.ts LISTEN TO READY-FILE; LISTEN and TO are ADDRESS:PORT or the path of a socket
 */
import { rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const [listen = '', to = '', readyFile = ''] = process.argv.slice(2);

const place = (text: string) => {
  if (text.startsWith('/')) return { path: text };
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
};

const server = createServer({ allowHalfOpen: true }, (near) => {
  const far = connect({ ...place(to), allowHalfOpen: true });
  near.pipe(far);
  far.pipe(near);
  // One side's end is the other's: nobody may wait for an answer from a peer that is gone.
  near.once('error', () => far.destroy());
  far.once('error', () => near.destroy());
  near.once('close', () => far.destroy());
  far.once('close', () => near.destroy());
});
server.once('error', (error) => {
  console.error(`cannot listen on ${listen}: ${error.message}`);
  process.exit(1);
});
if (listen.startsWith('/')) rmSync(listen, { force: true });
server.listen(place(listen), () => {
  writeFileSync(readyFile, '');
});
