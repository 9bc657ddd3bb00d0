/** Where things lie under windlass's root on a node. One place, so that reader, writer and remover agree. */

/** Replace a leading `~` by the home directory. */
export function expandHome(path: string, home: string): string {
  return path === '~' ? home : path.startsWith('~/') ? `${home}/${path.slice(2)}` : path;
}

export interface Layout {
  readonly root: string;
  readonly identity: string;
  readonly owner: string;
  readonly ledger: string;
  readonly payloads: string;
  readonly currentPayload: string;
  /** There from the first change of a placing until its units have been started again with it. */
  readonly activating: string;
  readonly locks: string;
  readonly environments: string;
  readonly proofs: string;
  readonly models: string;
  readonly runs: string;
  readonly secrets: string;
  readonly certificates: string;
  readonly tokens: string;
  readonly cache: string;
  readonly home: string;
  /** Ray's temporary folder; short, since Ray adds 62 characters to it for socket names that may have 107. */
  readonly ray: string;
}

/** The layout under an absolute root. */
export function layoutOf(root: string): Layout {
  return {
    root,
    identity: `${root}/node.json`,
    owner: `${root}/owner.json`,
    ledger: `${root}/ledger.jsonl`,
    payloads: `${root}/workers`,
    currentPayload: `${root}/workers/current`,
    activating: `${root}/workers/activating`,
    locks: `${root}/locks`,
    environments: `${root}/envs`,
    proofs: `${root}/proofs`,
    models: `${root}/models`,
    runs: `${root}/runs`,
    secrets: `${root}/secrets`,
    certificates: `${root}/certificates`,
    tokens: `${root}/tokens`,
    cache: `${root}/cache`,
    home: `${root}/home`,
    ray: `${root}/ray`,
  };
}

const paths = layoutOf('');

/** Certificates that a head or a node has, below the root. */
export const certificatePaths = {
  authority: `${paths.home}/ca/ca.crt`,
  front: `${paths.home}/ca/server.crt`,
  node: `${paths.certificates}/node.crt`,
} as const;

/** A certificate with less than this left is made anew by the next `up`. */
export const certificateRenewalMs = 60 * 86_400_000;

/** Units of ours that stay enabled: they come back after a reboot. All others start only as part of a run. */
export const standingUnits = {
  node: 'windlass-node.service',
  temporal: 'windlass-temporal.service',
  control: 'windlass-control.service',
  front: 'windlass-front.service',
} as const;

export const rayUnitPrefix = 'windlass-ray-';
export const engineUnitPrefix = 'windlass-engine-';

/** Is this one of our units that a run started (and not a standing one)? */
export function isRunUnit(name: string): boolean {
  return name.startsWith('windlass-') && !Object.values<string>(standingUnits).includes(name);
}
