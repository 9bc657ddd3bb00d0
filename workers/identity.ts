/** How a control worker names itself to the service, which notes the name with each task: its version is read from it. */

export const identityOf = (version: string): string => `windlass-control/${version}@${process.pid}`;

/** The version of windlass whose control worker has this name; null where it is somebody else's. */
export function versionIn(identity: string): string | null {
  return /^windlass-control\/(.+)@\d+$/.exec(identity)?.[1] ?? null;
}
