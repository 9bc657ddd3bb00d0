/** What the uses of uv share: where environments and locks lie, and the indexes it asks. */
import { createHash } from 'node:crypto';
import type { EnvironmentRequest } from '../src/cluster/environments.ts';
import { fail } from '../src/errors.ts';
import type { NodeContext } from './context.ts';
import { whyUnreachable } from './reach.ts';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** PEP 751 fixes the form of the name: `pylock.<name>.toml`. */
export const lockPath = (context: NodeContext, hash: string): string =>
  `${context.layout.locks}/pylock.${hash}.toml`;

export const environmentPath = (context: NodeContext, hash: string): string =>
  `${context.layout.environments}/${hash}`;

export const indexOptions = (request: EnvironmentRequest): string[] => [
  '--default-index',
  request.index,
  ...request.extraIndexes.flatMap((index) => ['--index', index]),
  ...request.findLinks.flatMap((link) => ['--find-links', link]),
];

/** After a failure: throw INDEX_UNREACHABLE, which is tried again, when an index does not answer from here. */
export async function demandReachable(context: NodeContext, request: EnvironmentRequest): Promise<void> {
  for (const index of [request.index, ...request.extraIndexes]) {
    const reason = await whyUnreachable(context, index);
    if (reason !== null) throw fail('INDEX_UNREACHABLE', { index, reason });
  }
}
