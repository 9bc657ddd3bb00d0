/**
 * Published holes of Ray, SGLang and vLLM that decide whether a version may be started: data, to be looked through at
 * every release. A hole that the configured way of starting reaches is refused, any other is warned about.
 */

export interface Advisory {
  readonly package: 'ray' | 'sglang' | 'vllm';
  readonly id: string;
  /** Versions from `since` on (all, when absent) and below `below` are affected. */
  readonly since?: string;
  readonly below: string;
  readonly what: string;
  /**
   * When the way windlass starts it reaches the hole: always, without an API key, or when one of these arguments is
   * given. `closed` is one that windlass itself keeps out of reach; it stands here so that nobody looks for it.
   */
  readonly reachedBy: 'always' | 'no-api-key' | 'closed' | { readonly arguments: readonly string[] };
}

/** The day on which the table was last compared with the published lists. */
export const lastChecked = '2026-11-22';

export const advisories: readonly Advisory[] = [
  {
    package: 'ray',
    id: 'CVE-2023-48022',
    below: '9999',
    what: 'anyone who reaches the dashboard runs code; windlass starts none, and sets a token',
    reachedBy: 'closed',
  },
  {
    package: 'ray',
    id: 'CVE-2025-62593',
    below: '2.52.0',
    what: 'runs code through a browser; token authentication does not exist yet',
    reachedBy: 'always',
  },
  {
    package: 'ray',
    id: 'CVE-2026-27482',
    below: '2.54.0',
    what: 'anyone who reaches the dashboard stops jobs; the least version is 2.54.0',
    reachedBy: 'always',
  },
  {
    package: 'sglang',
    id: 'CVE-2026-3059',
    below: '0.5.10',
    what: 'sockets on all interfaces unpickle what they get',
    reachedBy: 'always',
  },
  {
    package: 'sglang',
    id: 'CVE-2026-7304',
    below: '0.5.11',
    what: 'custom logit processors load Python objects',
    reachedBy: { arguments: ['--enable-custom-logit-processor'] },
  },
  {
    package: 'sglang',
    id: 'CVE-2026-14890',
    below: '0.5.15',
    what: 'the backup socket of expert parallelism unpickles what it gets',
    reachedBy: { arguments: ['--enable-elastic-expert-backup'] },
  },
  {
    package: 'sglang',
    id: 'CVE-2026-15976',
    below: '0.5.16',
    what: 'the weight-update endpoint loads pickled files',
    reachedBy: 'no-api-key',
  },
  {
    package: 'sglang',
    id: 'CVE-2026-86793',
    below: '0.5.19',
    what: 'the weight-update endpoint unpickles tensors when no key is set',
    reachedBy: 'no-api-key',
  },
  {
    package: 'sglang',
    id: 'CVE-2026-93034',
    below: '0.5.21',
    what: 'the decoder of data-parallel attention unpickles from the network',
    reachedBy: { arguments: ['--enable-dp-attention'] },
  },
  {
    package: 'sglang',
    id: 'CVE-2026-111391',
    since: '0.5.10',
    below: '0.5.23',
    what: 'a debugging port evaluates text; windlass refuses the variable that opens it',
    reachedBy: 'closed',
  },
  {
    package: 'vllm',
    id: 'CVE-2026-27893',
    below: '0.18.0',
    what: 'trust_remote_code=False is passed over by two model files',
    reachedBy: 'always',
  },
  {
    package: 'vllm',
    id: 'GHSA-v97p-wpxp-px84',
    since: '0.16.0',
    below: '0.21.0',
    what: 'pipeline parallelism hands tokens of one request to another',
    reachedBy: 'always',
  },
  {
    package: 'vllm',
    id: 'CVE-2026-47155',
    below: '0.22.0',
    what: 'a pinned revision does not bind every file of a model; windlass gives a verified snapshot',
    reachedBy: 'closed',
  },
  {
    package: 'vllm',
    id: 'PYSEC-2026-4344',
    since: '0.19.0',
    below: '0.32.0',
    what: 'one ordinary request ends the engine',
    reachedBy: 'no-api-key',
  },
];
