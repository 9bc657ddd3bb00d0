/**
 * The order of the labs, two at a time. The longest begins: most of its time it waits for a line that is cut. Beside
 * its first half go those that start no Ray, since Ray gives its helpers 15 s, and two gangs that start at once on two
 * cores come close to that.
 */
import Sequencer from '@jest/test-sequencer';

const order = ['durable', 'reach', 'lab', 'pack', 'ssh', 'bring-up', 'secrets'].map(
  (name) => `/lab/${name}.test.ts`,
);
const placeOf = ({ path }) => order.findIndex((end) => path.endsWith(end)) + 1 || order.length + 1;

export default class LabOrder extends Sequencer {
  sort(tests) {
    // oxlint-disable-next-line unicorn/no-array-sort -- jest's own method, which returns a new list
    return super.sort(tests).toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}
