/**
 * The answer of facts.sh as one value. Pure: the same code reads it in the node worker and in the program that asked
 * over ssh. What a node did not tell is null, never zero and never good.
 */
import { readFrames } from './frames.ts';
import { readGpuFacts } from './gpu.ts';
import { readClock, readDisks, readMemory, readPythons, readSystem, readSystemd, readUser } from './host.ts';
import { readInterfaces, readOwnNameAddresses, readRdmaInterfaces, readReach } from './network.ts';
import { readListeners, readStrangers } from './occupants.ts';
import { readState } from './own-state.ts';
import { readProcesses } from './processes.ts';
import type { NodeFacts } from './types.ts';

/**
 * Read the answer of facts.sh. Throws FACT_UNREADABLE, with the fact and the first bytes escaped, when the answer is
 * not one, is cut short, or lacks the clock or the user, and when `node.json` or `owner.json` is there but broken.
 */
export function parseFacts(answer: string): NodeFacts {
  const frames = readFrames(answer);
  const user = readUser(frames);
  const processes = readProcesses(frames);
  return {
    clock: readClock(frames),
    ...readSystem(frames),
    user,
    systemd: readSystemd(frames),
    ...readGpuFacts(frames),
    interfaces: readInterfaces(frames),
    rdmaInterfaces: readRdmaInterfaces(frames),
    memory: readMemory(frames),
    disks: readDisks(frames),
    listeners: readListeners(frames, processes, user.name),
    strangers: readStrangers(frames, processes),
    pythons: readPythons(frames),
    reach: readReach(frames),
    ownNameAddresses: readOwnNameAddresses(frames),
    state: readState(frames, processes),
  };
}
