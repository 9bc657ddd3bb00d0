/** All workflow types. Their names are part of the protocol. */
export { bringUpCluster } from './bring-up.ts';
export { keepCluster } from './keep.ts';
export { prepareNode } from './prepare-node.ts';
export { tearDownCluster } from './tear-down.ts';
