/**
 * The whole scene for a bring-up: the lab's hosts, the package index and the model hub that they reach, and the built
 * program as the operator runs it. The demo and the lab tests stand on it.
 */
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PackageIndex } from '../standin/index-server.ts';
import { startIndex } from '../standin/index-server.ts';
import { startHub } from '../standin/hub-server.ts';
import type { Hub } from '../standin/hub-server.ts';
import { makeTinyModels } from '../standin/model.ts';
import { buildStandinWheels } from '../standin/wheels.ts';
import { assemblePayload } from '../../src/placing/payload/assemble.ts';
import type { LabOptions } from './lab.ts';
import { Lab } from './lab.ts';

export const repository = fileURLToPath(new URL('../..', import.meta.url));
export const program = join(repository, 'dist/bin/windlass.cjs');

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'windlass-lab');

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Stage {
  readonly lab: Lab;
  readonly index: PackageIndex;
  readonly hub: Hub;
  private readonly dist: string;

  private constructor(lab: Lab, index: PackageIndex, hub: Hub, dist: string) {
    this.lab = lab;
    this.index = index;
    this.hub = hub;
    this.dist = dist;
  }

  /** Boot the hosts and start the servers that they reach at 10.0.0.1. `dist` is the build that the operator runs. */
  static async start(options: LabOptions & { readonly dist?: string } = {}): Promise<Stage> {
    const { wheelsDir, modelsDir } = await prepareStage(options);
    const lab = await Lab.start(options);
    try {
      const socket = (name: string) => join(lab.names.relays, `${name}.sock`);
      const index = await startIndex({ socket: socket('index'), wheelsDir, cacheDir: join(cache, 'index') });
      const hub = await startHub({ socket: socket('hub'), modelsDir });
      await lab.relayIn({ listen: '10.0.0.1:8099', socket: socket('index') });
      await lab.relayIn({ listen: '10.0.0.1:8098', socket: socket('hub') });
      return new Stage(lab, index, hub, options.dist ?? join(repository, 'dist'));
    } catch (error) {
      await lab.stop();
      throw error;
    }
  }

  /** Run the program as the operator, to its end. Never throws for an exit code. */
  async windlass(
    args: readonly string[],
    options: { env?: Record<string, string>; input?: string } = {},
  ): Promise<CliResult> {
    const result = await this.start(args, options);
    return { exitCode: result.exitCode ?? -1, stdout: String(result.stdout), stderr: String(result.stderr) };
  }

  /** Start the program, or that of another build, as the operator; the caller may signal it. */
  start(
    args: readonly string[],
    options: { env?: Record<string, string>; inherit?: boolean; dist?: string | undefined } = {},
  ) {
    const { dist = this.dist } = options;
    return this.lab.exec(process.execPath, [join(dist, 'bin/windlass.cjs'), ...args], {
      cwd: repository,
      reject: false,
      ...(options.inherit === true && { stdout: 'inherit' as const, stderr: 'inherit' as const }),
      env: { ...programEnvironment(), ...options.env },
    } as const);
  }

  async stop(): Promise<void> {
    await this.lab.stop();
    await Promise.all([this.index.close(), this.hub.close()]);
  }
}

/** Make what every stage uses and none changes: stand-in wheels, models, and payloads in the operator's cache. */
export async function prepareStage(
  options: Pick<LabOptions, 'aarch64' | 'log'> & { readonly dist?: string },
) {
  options.log?.('building the stand-in wheels and the tiny model');
  const wheelsDir = await buildStandinWheels(join(cache, 'wheels'));
  const modelsDir = join(cache, 'models');
  await mkdir(modelsDir, { recursive: true });
  await makeTinyModels(modelsDir);
  await warmPayloads(options);
  return { wheelsDir, modelsDir };
}

/** The operator's network has no way out, so what placing would download must be in the operator's cache before. */
async function warmPayloads({ aarch64, log, dist }: Parameters<typeof prepareStage>[0]): Promise<void> {
  const cacheDir = join(cache, '..', 'windlass');
  const platforms = ['linux-x64', ...((aarch64 ?? []).length > 0 ? ['linux-arm64'] : [])] as const;
  for (const platform of platforms as readonly ('linux-x64' | 'linux-arm64')[]) {
    log?.(`fetching what is placed on ${platform} hosts: Node.js, uv, and for a head the Temporal binary`);
    const options = {
      platform,
      cacheDir,
      distDir: dist ?? join(repository, 'dist'),
      environment: process.env,
    };
    await assemblePayload({ ...options, roles: ['node'] });
    await assemblePayload({ ...options, roles: ['node', 'home'] });
  }
}

/** What the program finds in the operator's environment: payloads that were fetched before, and the registries. */
export const programEnvironment = (): Record<string, string> => ({
  XDG_CACHE_HOME: join(cache, '..'),
  ...registries(),
});

/** Where this machine gets npm and Python packages from; the operator's own machine has such settings too. */
function registries(): Record<string, string> {
  const names = ['PIP_INDEX_URL', 'UV_INDEX_URL', 'npm_config_registry', 'NODE_EXTRA_CA_CERTS'];
  return Object.fromEntries(
    names.flatMap((name): [string, string][] => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
