/** All checks, in the order in which people read about them. */
import { addressOwned, interfaceNamed, ownNameLoopback } from './addresses.ts';
import { certificatesHold } from './certificates.ts';
import type { ClusterCheck, NodeCheck } from './check.ts';
import { clockSkew } from './clocks.ts';
import { diskEnvironment, diskModel, pathLength, rootLocal } from './disks.ts';
import { gpuClass, gpuDevices, gpuPresent } from './gpu.ts';
import { memoryAvailable } from './memory.ts';
import { handStarted, memoryHolders } from './occupants.ts';
import { nodeIdentity, oneIdEach, owner } from './ownership.ts';
import { linger, platform, systemd } from './platform.ts';
import { portFree } from './ports.ts';
import { equalPlatform, equalPython } from './pythons.ts';
import { hubReachable, indexReachable } from './reach.ts';
import { transport } from './transport.ts';
import { knownHoles } from './versions.ts';

export const nodeChecks: readonly NodeCheck[] = [
  nodeIdentity,
  owner,
  certificatesHold,
  platform,
  systemd,
  linger,
  gpuPresent,
  gpuClass,
  gpuDevices,
  addressOwned,
  interfaceNamed,
  ownNameLoopback,
  portFree,
  handStarted,
  memoryHolders,
  memoryAvailable,
  rootLocal,
  pathLength,
  diskEnvironment,
  diskModel,
  indexReachable,
  hubReachable,
];

export const clusterChecks: readonly ClusterCheck[] = [
  oneIdEach,
  equalPlatform,
  equalPython,
  transport,
  clockSkew,
  knownHoles,
];
