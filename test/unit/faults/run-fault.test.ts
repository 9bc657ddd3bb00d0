import { expect, test } from '@jest/globals';
import type { Fault, Outcome } from '../../faults/fault.ts';
import { Secrets } from '../../faults/judge/secrets.ts';
import { runFault } from '../../faults/run-fault.ts';
import type { Scene } from '../../faults/scene.ts';

const outcome: Outcome = { exit: 1, seconds: 0, stdout: '{"ok":false,"errors":[]}', stderr: '' };
const fault: Fault = {
  id: 'F99',
  group: 'D',
  step: 'a step',
  title: 'Something ends',
  invariants: [],
  start: 'prepared',
  inject: () => Promise.resolve({ ended: Promise.resolve(outcome), signal: () => undefined }),
  expect: { exit: 0, within: 5 },
};

/** A scene without hosts, and what was done to it. */
function makeScene(changes: Partial<Record<keyof Scene, unknown>> = {}) {
  const done: string[] = [];
  const note = (what: string) => () => {
    done.push(what);
    return Promise.resolve();
  };
  const scene = {
    since: 0,
    said: [],
    hosts: [],
    secrets: new Secrets(),
    samples: { read: () => Promise.resolve([]), text: () => Promise.resolve('') },
    strangers: { judge: () => Promise.resolve(['I2: touched']) },
    begin: () => undefined,
    reach: note('reach'),
    heal: note('heal'),
    purge: note('purge'),
    ...changes,
  };
  return { scene: scene as unknown as Scene, done };
}

test('all is judged, also where the command ended otherwise, and the evidence is kept before it is healed', async () => {
  const { scene, done } = makeScene();
  const judge = (): Promise<void> => Promise.reject(new Error('not as it must be'));
  const { problems } = await runFault(scene, { ...fault, judge }, () => {
    done.push('keep');
    return Promise.resolve();
  });
  expect(problems).toEqual([
    'I7: exit 1, not 0: {"ok":false,"errors":[]}',
    'not as it must be',
    'I2: touched',
  ]);
  expect(done).toEqual(['reach', 'keep', 'heal']);
});

test('a scene that does not get to where the fault begins says nothing of the product', async () => {
  const reach = (): Promise<void> => Promise.reject(new Error('no ssh'));
  const { scene, done } = makeScene({ reach });
  const verdict = await runFault(scene, fault, () => Promise.resolve());
  expect(verdict).toEqual({ seconds: 0, problems: [], sceneBroken: 'it did not get to prepared: no ssh' });
  expect(done).toEqual(['heal', 'purge']);
});

test('a secret in what a command said is found in any form', async () => {
  const secrets = new Secrets();
  const told = Buffer.from(`x${secrets.apiKey}`).toString('base64');
  const strangers = { judge: () => Promise.resolve([]) };
  const { scene } = makeScene({ secrets, strangers, said: [{ stdout: told }] });
  const { problems } = await runFault(scene, { ...fault, expect: { exit: 1, within: 5 } }, () =>
    Promise.resolve(),
  );
  expect(problems).toEqual(['I6: apiKey stands in what a command said']);
});
