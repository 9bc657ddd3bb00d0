import { controlCore } from '../faults/core.ts';
import { describeFaults } from '../faults/suite.ts';

describeFaults('faults-control', controlCore);
