/** What an act says of itself while it runs: the node worker sends it with its heartbeats, the live table shows it. */
import { z } from 'zod';

const Count = z.number().int().nonnegative();

const ActProgress = z.object({
  phase: z.string().max(200).optional(),
  bytes: Count.optional(),
  totalBytes: Count.optional(),
  packages: Count.optional(),
  totalPackages: Count.optional(),
  /** When the server last answered whoever watches it; milliseconds since 1970. */
  answeredAt: Count.optional(),
});
export type ActProgress = Readonly<z.infer<typeof ActProgress>>;

/** A heartbeat holds more than this only when no node worker of ours has sent it. */
const maxBytes = 64 * 1024;

/** Read the details of a heartbeat, which come from a node; null where they are something else. */
export function readProgress(details: Uint8Array | null | undefined): ActProgress | null {
  if (!details || details.length > maxBytes) return null;
  try {
    return ActProgress.safeParse(JSON.parse(new TextDecoder().decode(details))).data ?? null;
  } catch {
    return null;
  }
}
