import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { stopGangUnits } from '../../../activities/stop.ts';
import type { StopInput } from '../../../src/cluster/inputs.ts';
import { standInSystemctl } from '../../support/systemctl.ts';
import { driverThatTells, ended } from './gpu-driver.ts';
import { base, inActivity, machine } from './in-activity.ts';

const stop = (input: Pick<StopInput, 'ports' | 'what'>, attempt = 1, heartbeatDetails?: unknown) =>
  inActivity(() => stopGangUnits(machine('/nowhere'))({ ...base('/nowhere'), keep: [], ...input }), {
    attempt,
    heartbeatDetails,
  });

standInSystemctl();

test('a stranger on a port of the gang is named, and left alone', async () => {
  // An address that nothing asked before: only the API's own address counts.
  const server = createServer().listen(0, '127.0.0.7');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const ports = [{ address: '127.0.0.7', port }];
    const taken = { type: 'PORT_TAKEN', nonRetryable: true };
    await expect(stop({ ports, what: 'gang' })).rejects.toMatchObject({
      ...taken,
      message: expect.stringMatching(
        new RegExp(`^TCP ${port} is held by .+ \\(pid ${process.pid}\\), which windlass did not start$`),
      ),
    });
    expect(server.listening).toBe(true);
    expect(await stop({ ports: [{ address: '127.0.0.8', port }], what: 'gang' })).toEqual({ changed: false });
    // A tear-down that finds nothing of ours proves nothing; one that is tried again may have stopped something.
    expect(await stop({ ports, what: 'all' })).toEqual({ changed: false });
    await expect(stop({ ports, what: 'all' }, 2)).rejects.toMatchObject(taken);
  } finally {
    server.close();
  }
});

test('memory on a GPU that an earlier attempt was still waiting for is waited for', async () => {
  const driver = await driverThatTells([ended]);
  try {
    expect(await stop({ ports: [], what: 'all' }, 2, { v: 1, ended: [ended] })).toEqual({ changed: false });
    expect(await driver.timesAsked()).toBe(2);
  } finally {
    await driver.remove();
  }
});
