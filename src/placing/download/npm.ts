/** Where the registry that npm is configured for keeps a tarball. */
import npmConf from '@pnpm/npm-conf';
import registryAuthToken from 'registry-auth-token';
import { z } from 'zod';
import type { NpmArtefact } from './pins.ts';
import type { Environment } from '../../process/environment.ts';
import { type Address, fetchText, HttpError, parseAddress } from './request.ts';

const PUBLIC_REGISTRY = 'registry.npmjs.org';
const Version = z.object({ dist: z.object({ tarball: z.string() }) });
const LARGEST_DOCUMENT = 4 * 1024 * 1024;

/** The registry's base address, from the environment or from npm's own settings files. */
export function npmRegistry(environment: Environment): string {
  const named = environment['npm_config_registry'] ?? environment['NPM_CONFIG_REGISTRY'];
  const set = named ?? npmConf().config.get('registry');
  const text = typeof set === 'string' && set !== '' ? set : `https://${PUBLIC_REGISTRY}/`;
  return text.endsWith('/') ? text : `${text}/`;
}

/** Return the address of the artefact's tarball on the configured registry. Throws what the request throws. */
export async function findTarball(artefact: NpmArtefact, environment: Environment): Promise<Address> {
  const registry = withToken(parseAddress(npmRegistry(environment)));
  const fallback = `${artefact.package}/-/${artefact.package}-${artefact.version}.tgz`;
  let tarball: URL;
  try {
    const document = await fetchText(
      { ...registry, url: new URL(`${artefact.package}/${artefact.version}`, registry.url) },
      { accept: 'application/json', environment, largestBytes: LARGEST_DOCUMENT },
    );
    tarball = onRegistry(new URL(Version.parse(JSON.parse(document.text)).dist.tarball), registry.url);
  } catch (error) {
    // Some mirrors hold tarballs only, under the names that every registry uses.
    if (!(error instanceof HttpError) || error.status === 401 || error.status === 403) throw error;
    tarball = new URL(fallback, registry.url);
  }
  const isSameHost = tarball.host === registry.url.host;
  return { url: tarball, headers: isSameHost ? registry.headers : {} };
}

/** Mirrors hand on documents that name the public registry; like npm, ask the mirror instead. */
function onRegistry(tarball: URL, registry: URL): URL {
  if (tarball.host !== PUBLIC_REGISTRY || registry.host === PUBLIC_REGISTRY) return tarball;
  return new URL(tarball.pathname.slice(1), registry);
}

function withToken(registry: Address): Address {
  if ('authorization' in registry.headers) return registry;
  const found = registryAuthToken(registry.url.href, { recursive: true });
  if (!found) return registry;
  return { ...registry, headers: { authorization: `${found.type} ${found.token}` } };
}
