/**
 * The variables of this process. They are read here, and in `inherited.ts` what a node worker hands on; no other code
 * reads them, so that what a run depends on can be seen in one place.
 */
import type { Environment } from '../process/environment.ts';

/** All variables as they are now, for programs that are started with them and for secrets that are named by variable. */
export function readVariables(): Environment {
  return Object.freeze({ ...process.env });
}
