import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { demandFree } from '../../../activities/ports.ts';

test('a stranger that listens where a unit is about to is named; elsewhere nobody is in the way', async () => {
  const server = createServer().listen(0, '127.0.0.9');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    await expect(demandFree([{ address: '127.0.0.9', port }])).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      data: { port, by: expect.stringContaining(`(pid ${process.pid})`) },
    });
    await demandFree([{ address: '127.0.0.10', port }]);
    await demandFree([]);
  } finally {
    server.close();
  }
});
