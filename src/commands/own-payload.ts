/** What of this program is placed on a node, and its version. */
import { ownDistFolder } from '../own-files.ts';
import type { AssembleOptions } from '../placing/payload/assemble.ts';
import { Hashes } from '../placing/payload/hashes.ts';
import type { Platform } from '../placing/payload/version.ts';
import { payloadVersion } from '../placing/payload/version.ts';
import type { CommandContext } from './context.ts';

export type OwnPayload = (platform: Platform, withHome: boolean) => AssembleOptions;

export const ownPayload =
  ({ cacheDir, env: environment }: CommandContext): OwnPayload =>
  (platform, withHome) => ({
    platform,
    roles: withHome ? (['node', 'home'] as const) : (['node'] as const),
    cacheDir,
    distDir: ownDistFolder(),
    environment,
  });

type VersionFor = (platform: Platform, withHome: boolean) => Promise<string>;

/** Use the versions that nodes shall have, which are known without fetching anything, and keep what was hashed for them. */
export async function withVersions<T>(
  context: CommandContext,
  work: (versionFor: VersionFor) => Promise<T>,
): Promise<T> {
  const hashes = new Hashes(context.cacheDir);
  const payload = ownPayload(context);
  const result = await work((platform, withHome) => payloadVersion(payload(platform, withHome), hashes));
  await hashes.save();
  return result;
}
