import { nodeCore } from '../faults/core.ts';
import { describeFaults } from '../faults/suite.ts';

describeFaults('faults-node', nodeCore);
