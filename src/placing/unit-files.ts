/** The systemd user units that stay: home on the head, a node worker on every node. They are the only enabled ones. */
import { standingUnits } from '../cluster/layout.ts';

export interface UnitFile {
  readonly name: string;
  readonly text: string;
}

/** Quote one word of ExecStart=: systemd splits at spaces, and reads % and $ itself. */
function systemdQuote(word: string): string {
  return `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;
}

/** Restart 100 ms after a death, to which systemd adds up to 250 ms: a node worker polls again within about a second. */
function unitFile(
  name: string,
  description: string,
  command: readonly string[],
  stopSeconds: number,
): UnitFile {
  return {
    name,
    text: [
      '[Unit]',
      `Description=windlass: ${description}`,
      'StartLimitIntervalSec=0',
      '',
      '[Service]',
      'Type=exec',
      `ExecStart=${command.map(systemdQuote).join(' ')}`,
      'Restart=always',
      'RestartSec=100ms',
      `TimeoutStopSec=${stopSeconds}`,
      'KillMode=mixed',
      'UMask=0077',
      '',
      '[Install]',
      'WantedBy=default.target',
      '',
    ].join('\n'),
  };
}

/** The node worker's unit. `root` is absolute. */
export function nodeUnit(root: string): UnitFile {
  const current = `${root}/workers/current`;
  return unitFile(
    standingUnits.node,
    'node worker',
    [`${current}/bin/node`, `${current}/node-worker.js`, `${root}/node-worker.json`],
    20,
  );
}

export interface HomePlace {
  readonly root: string;
  readonly port: number;
  readonly uiPort: number;
  /** False when the cluster file names a Temporal service of the user's own. */
  readonly embedded: boolean;
  /** False when that service is not on the head's loopback. */
  readonly withFront: boolean;
}

/** Settings of the Temporal service, as `key=value`. */
export const serviceSettings: readonly string[] = [
  // Each node queue has one poller; with the default of four partitions some steps waited 44 s (measured).
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
  // Seconds. A control worker that dies holds what it was deciding for so long; by default for ten. From the
  // fourth attempt on the service gives more time to who is slower.
  'history.defaultWorkflowTaskTimeout=3',
];

/** The home's units: the Temporal service on loopback, the control worker, and the front before them. */
export function homeUnits({ root, port, uiPort, embedded, withFront }: HomePlace): UnitFile[] {
  const current = `${root}/workers/current`;
  const control = unitFile(
    standingUnits.control,
    'control worker',
    [`${current}/bin/node`, `${current}/control-worker.js`, `${root}/home/control-worker.json`],
    20,
  );
  const temporal = [
    `${current}/bin/temporal`,
    'server',
    'start-dev',
    '--ip=127.0.0.1',
    `--port=${port}`,
    `--ui-port=${uiPort}`,
    `--db-filename=${root}/home/temporal.db`,
    '--log-level=error',
    ...serviceSettings.flatMap((value) => ['--dynamic-config-value', value]),
  ];
  const front = unitFile(
    standingUnits.front,
    'front (mutual TLS)',
    [`${current}/bin/node`, `${current}/front.js`, `${root}/home/front.json`],
    10,
  );
  return [
    ...(embedded ? [unitFile(standingUnits.temporal, 'Temporal service', temporal, 20)] : []),
    control,
    ...(withFront ? [front] : []),
  ];
}
