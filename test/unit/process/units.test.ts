/** A systemd that does not answer says nothing about a unit: neither that it runs nor that it is gone. */
import { expect, test } from '@jest/globals';
import { listUnits, lookAtUnit } from '../../../src/process/units.ts';
import { noUnits, standInSystemctl } from '../../support/systemctl.ts';

const say = standInSystemctl();

test('a unit that is not loaded is inactive', async () => {
  say(noUnits);
  const inactive = { active: false, state: 'inactive', mainPid: null, controlGroup: null };
  expect(await lookAtUnit('windlass-ray-1')).toEqual(inactive);
  expect(await listUnits()).toEqual([]);
});

test('no answer is an error', async () => {
  say('echo "Failed to connect to bus: Connection refused" >&2; exit 1');
  const refused = 'Failed to connect to bus: Connection refused';
  await expect(lookAtUnit('windlass-ray-1')).rejects.toThrow(`systemctl --user show: ${refused}`);
  await expect(listUnits()).rejects.toThrow(`systemctl --user list-units: ${refused}`);
});
