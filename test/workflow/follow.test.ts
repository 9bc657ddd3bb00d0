/** What `up` and `status` see of a run while it goes on, for as long as it goes on. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Board } from '../../src/cluster/board.ts';
import { clusterWorkflowId } from '../../src/cluster/names.ts';
import { followRun } from '../../src/temporal/follow-run.ts';
import { ScriptedCluster, seedSpec } from '../support/nodes.ts';
import { Service } from './service.ts';

jest.setTimeout(60_000);

let service: Service;

beforeAll(async () => {
  service = await Service.open();
});

afterAll(async () => {
  await service.stop();
});

async function held(name: string) {
  const cluster = new ScriptedCluster(seedSpec(name));
  await service.serve(cluster);
  const install = cluster.faults.hold({ activity: 'installWheels' });
  const handle = await service.start('bringUpCluster', cluster.spec);
  await install.reached;
  return { install, handle };
}

/** Signals that the client was given, which keeps a listener on them for each request. */
function watchSignals(): Set<AbortSignal> {
  const signals = new Set<AbortSignal>();
  const original = service.client.withAbortSignal.bind(service.client);
  jest.spyOn(service.client, 'withAbortSignal').mockImplementation((signal, calls) => {
    signals.add(signal);
    return original(signal, calls);
  });
  return signals;
}

describe('following a run', () => {
  it('shows it in looks that leave nothing behind, and gives its result', async () => {
    const { install, handle } = await held('followed');
    const signals = watchSignals();
    const boards: Board[] = [];
    const result = await followRun(service.client, handle, {
      wantsActivities: true,
      onOutage: () => undefined,
      signal: new AbortController().signal,
      onBoard: (board) => {
        boards.push(board);
        if (boards.length === 4) install.release();
      },
    });
    expect(result).toEqual(await handle.result());
    expect(boards.at(-1)).toMatchObject({ cluster: 'followed' });
    expect(signals.size).toBeGreaterThan(boards.length / 2);
  });

  it('says that the home does not know it any more', async () => {
    await expect(
      followRun(service.client, service.client.workflow.getHandle('cluster/forgotten'), {
        wantsActivities: false,
        onOutage: () => undefined,
        signal: new AbortController().signal,
        onBoard: () => undefined,
      }),
    ).rejects.toMatchObject({ code: 'RUN_LOST' });
  });

  it('ends where nobody goes on with it although the service is there', async () => {
    const { spec } = new ScriptedCluster(seedSpec('orphan'));
    const handle = await service.client.workflow.start('bringUpCluster', {
      workflowId: clusterWorkflowId(spec.name),
      taskQueue: 'nobody',
      args: [spec],
    });
    const following = followRun(service.client, handle, {
      wantsActivities: false,
      onOutage: () => undefined,
      signal: new AbortController().signal,
      onBoard: () => undefined,
      silenceLimitMs: 1_000,
    });
    await expect(following).rejects.toMatchObject({
      code: 'RUN_STUCK',
      message: expect.stringMatching(/^cluster\/orphan stands still: its control worker does not answer$/),
      advice: expect.stringContaining('journalctl --user -u windlass-control'),
    });
    await handle.terminate();
  });

  it('ends when it is asked to, and leaves the run alone', async () => {
    const { install, handle } = await held('left-alone');
    const leave = new AbortController();
    const reason = new Error('enough');
    const followed = followRun(service.client, handle, {
      wantsActivities: false,
      onOutage: () => undefined,
      signal: leave.signal,
      onBoard: () => {
        leave.abort(reason);
      },
    });
    await expect(followed).rejects.toBe(reason);
    install.release();
    await expect(handle.result()).resolves.toMatchObject({ cluster: 'left-alone' });
  });
});
