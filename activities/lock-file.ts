/** Read what a PEP 751 lock wants installed: names, versions, the size of what would be fetched, and where it lies. */
import { parse } from 'smol-toml';
import { z } from 'zod';
import { firstBytes } from '../src/cluster/facts/text.ts';
import { fail } from '../src/errors.ts';

const File = z.looseObject({
  name: z.string().optional(),
  url: z.string().optional(),
  size: z.union([z.number(), z.bigint()]).optional(),
});
const LockFile = z.object({
  packages: z
    .array(
      z.looseObject({
        name: z.string(),
        version: z.string().optional(),
        wheels: z.array(File).optional(),
        sdist: File.optional(),
      }),
    )
    .default([]),
});

export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** Bytes to fetch; 0 when the lock does not say. */
  readonly bytes: number;
}

/**
 * The packages of a lock. A package with several wheels counts its largest: which one fits is uv's choice. Throws
 * FACT_UNREADABLE for a text of another form.
 */
export function readLockedPackages(text: string): LockedPackage[] {
  return readLock(text).packages.map((each) => ({
    name: each.name,
    version: each.version ?? '',
    bytes: Math.max(
      0,
      ...[...(each.wheels ?? []), ...(each.sdist ? [each.sdist] : [])].map((file) => Number(file.size ?? 0)),
    ),
  }));
}

/** Every address and path from which a lock may have something fetched. Throws FACT_UNREADABLE as well. */
export function readLockedSources(text: string): string[] {
  return readLock(text).packages.flatMap(sourcesBelow);
}

/** PEP 751 has a `url` or a `path` for wheels, sdists, archives, folders and repositories alike. */
function sourcesBelow(value: object): string[] {
  return Object.entries(value).flatMap(([name, below]: [string, unknown]) => {
    if (typeof below === 'object' && below !== null) return sourcesBelow(below);
    return typeof below === 'string' && ['url', 'path'].includes(name) ? [below] : [];
  });
}

function readLock(text: string): z.infer<typeof LockFile> {
  try {
    return LockFile.parse(parse(text, { integersAsBigInt: 'asNeeded' }));
  } catch (error) {
    throw fail('FACT_UNREADABLE', { fact: 'the lock of packages', answer: firstBytes(text) }, error);
  }
}
