/**
 * The order of the labs, two at a time. Ray gives its helpers 15 s, and a gang of two hosts beside one of four comes
 * close to that on two cores: so the two halves of the faults, of two hosts each, run side by side, and beside the gang
 * of four those that start no Ray.
 */
import Sequencer from '@jest/test-sequencer';

const order = ['faults-node', 'faults-control', 'bring-up', 'reach', 'lab', 'pack', 'ssh', 'secrets'].map(
  (name) => `/lab/${name}.test.ts`,
);
const placeOf = ({ path }) => order.findIndex((end) => path.endsWith(end)) + 1 || order.length + 1;

export default class LabOrder extends Sequencer {
  sort(tests) {
    // oxlint-disable-next-line unicorn/no-array-sort -- jest's own method, which returns a new list
    return super.sort(tests).toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}
