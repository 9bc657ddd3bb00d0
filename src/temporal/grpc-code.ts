/** Why a call to the Temporal service failed, by gRPC's numbers. Needs nothing of the client, which is slow to load. */

/** The status with which the service, or the way to it, refused a call; null for an error of another kind. */
export function grpcCodeOf(error: unknown): number | null {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if ('code' in each && typeof each.code === 'number' && 'metadata' in each) return each.code;
  }
  return null;
}

/** gRPC: unavailable, and deadline exceeded. */
const awayCodes: readonly (number | null)[] = [14, 4];

/** Does this error say that the service was not there, and nothing about the run? */
export const isUnreachable = (error: unknown): boolean => awayCodes.includes(grpcCodeOf(error));
