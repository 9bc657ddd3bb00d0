/** What environment a hardware class needs, and the hashes that name its lock and its folder. Pure. */
import type { ClusterSpec, HardwareClass } from '../config/schema.ts';
import { Environment } from '../config/schema.ts';
import { sglangPackages } from '../engines/sglang.ts';
import { digest } from './hash.ts';

/** What is asked for; its hash names the lock. */
export interface EnvironmentRequest {
  readonly python: string;
  readonly packages: readonly string[];
  readonly index: string;
  readonly extraIndexes: readonly string[];
  readonly findLinks: readonly string[];
  readonly prerelease: boolean;
  /** `x86_64` or `aarch64`; wheels differ. */
  readonly machine: string;
}

/** The environment of a class: built by us from a request, or built by hand at a path. */
export type WantedEnvironment =
  | { readonly kind: 'built'; readonly request: EnvironmentRequest; readonly hash: string }
  | {
      readonly kind: 'own';
      readonly path: string;
      /** What the cluster file says is in it. */
      readonly versions: Readonly<Record<string, string>>;
    };

export const defaultIndex = 'https://pypi.org/simple';

/** The environment that the spec wants on nodes of a class and machine. */
export function wantedEnvironment(
  spec: Pick<ClusterSpec, 'environments' | 'engine' | 'ray'>,
  hardware: HardwareClass,
  machine: string,
): WantedEnvironment {
  const entry = spec.environments[hardware] ?? Environment.parse({});
  if ('path' in entry) {
    const versions = { [spec.engine.name]: spec.engine.version, ray: spec.ray.version };
    return { kind: 'own', path: entry.path, versions };
  }
  const request: EnvironmentRequest = {
    python: entry.python,
    packages: sglangPackages({
      version: spec.engine.version,
      rayVersion: spec.ray.version,
      extra: entry.packages,
    }),
    index: entry.index ?? defaultIndex,
    extraIndexes: entry.extraIndexes,
    findLinks: entry.findLinks,
    prerelease: entry.prerelease,
    machine,
  };
  return { kind: 'built', request, hash: digest(request) };
}

/** The name of the folder under `envs/`: another lock or another Python is another folder. */
export function environmentHash(lock: string, python: string): string {
  return digest({ lock, python });
}

/** The key under which the proof of an environment is kept. One built by hand is proven anew for other versions. */
export function proofKey(environment: WantedEnvironment, hash: string | null): string | null {
  return environment.kind === 'own'
    ? digest({ path: environment.path, versions: environment.versions })
    : hash;
}
