/** Start or adopt a Ray node as a user unit; count what Ray sees. */
import { mkdir, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { z } from 'zod';
import { helperPorts, rayHelpers, rayUnitName } from '../src/cluster/gang.ts';
import type { Endpoint, RayUnit } from '../src/cluster/inputs.ts';
import { RayInput, RayNodesInput } from '../src/cluster/inputs.ts';
import { isRaylet } from '../src/cluster/ranks.ts';
import { fail } from '../src/errors.ts';
import type { Command } from '../src/process/command.ts';
import { run } from '../src/process/run.ts';
import { lookAtUnit, membersOf } from '../src/process/units.ts';
import type { Changed } from './acts.ts';
import { beating, logOf, logTail, readGeneration, readResult, startAct, unchanged, until } from './acts.ts';
import type { NodeContext } from './context.ts';
import { baseEnvironment } from './context.ts';
import { define } from './define.ts';
import { placePath } from './proof.ts';
import { daemonDied } from './ray-daemons.ts';

const tokenPath = (context: NodeContext): string => `${context.layout.secrets}/rayToken`;

/** Token authentication for every process that talks to Ray; the token itself stays in its file. */
export function rayAuthentication(context: NodeContext): Record<string, string> {
  return { RAY_AUTH_MODE: 'token', RAY_AUTH_TOKEN_PATH: tokenPath(context) };
}

/** The command of a Ray node, as a value. */
export function rayCommand(context: NodeContext, ray: RayUnit): Command & { env: Record<string, string> } {
  const path = placePath(context, ray.place);
  const place =
    ray.role === 'head'
      ? ['--head', `--port=${ray.port}`, `--temp-dir=${context.layout.ray}`, '--include-dashboard=false']
      : [`--address=${bracket(ray.headAddress)}:${ray.port}`];
  return {
    file: `${path}/bin/ray`,
    args: [
      'start',
      '--block',
      ...place,
      `--node-ip-address=${ray.nodeAddress}`,
      `--num-gpus=${ray.gpus}`,
      `--num-cpus=${ray.cpus}`,
      `--object-store-memory=${ray.objectStoreBytes}`,
      ...helperArguments(ray.port),
      '--disable-usage-stats',
      '--log-style=record',
      '--log-color=false',
    ],
    env: {
      ...baseEnvironment(context, path),
      ...ray.variables,
      ...rayAuthentication(context),
      RAY_TMPDIR: context.layout.ray,
      // Several raylets that start at once on a loaded machine gave up after Ray's own 30 s.
      RAY_raylet_start_wait_time_s: '150',
      RAY_agent_register_timeout_ms: '150000',
    },
  };
}

/**
 * Ports of Ray's own helpers, fixed so that a firewall can know them. A raylet waits 15 s for helpers that choose a
 * port themselves, and gives up when a slow machine needs longer to start them; for the dashboard agent it waits
 * in any case, since Ray 2.60 does not hand it that port.
 */
function helperArguments(port: number): string[] {
  const ports = helperPorts(port);
  return rayHelpers.map((name, at) => `--${name}-port=${ports[at]}`);
}

/** Where this Ray node listens. */
const rayPorts = ({ role, nodeAddress: address, port }: RayUnit): Endpoint[] => [
  ...(role === 'head' ? [{ address, port }] : []),
  ...helperPorts(port).map((each) => ({ address, port: each })),
];

const bracket = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** How long Ray may take until it listens or its process is seen to stay; emulated and cold machines are slow. */
const startLimitMs = 180_000;

/** The head stops first, and a raylet that cannot take its leave there would try to the end of any limit. */
const stopSeconds = 5;

/** Start Ray on this node, or adopt the unit that runs as wanted. */
export const ensureRay = (context: NodeContext) =>
  define(context, RayInput, async ({ run: runRef, ray, generation }): Promise<Changed> => {
    const unit = rayUnitName(ray);
    if (ray.role === 'worker') await reachHead(ray);
    await mkdir(context.layout.ray, { recursive: true, mode: 0o700 });
    await removeDangling(`${context.layout.ray}/session_latest`);
    const { file, args, env } = rayCommand(context, ray);
    const started = await startAct(context, {
      unit,
      generation,
      step: ray.role === 'head' ? 'start head' : 'join workers',
      run: runRef,
      file,
      args,
      env,
      secretFiles: [tokenPath(context)],
      ports: rayPorts(ray),
      options: { description: `windlass: Ray ${ray.role}`, stopSeconds, oomScoreAdjust: 300 },
      isDone: async () => {
        await endedInThisGeneration(context, unit, generation);
        return false;
      },
    });
    const isRayletGone = watchRaylet(unit);
    await until(
      async () => {
        await endedInThisGeneration(context, unit, generation);
        if (await hasStarted(context, unit, ray)) return true;
        const died = (await isRayletGone()) && (await daemonDied(context, []));
        if (died) throw died;
        return null;
      },
      startLimitMs,
      () =>
        fail('RAY_FAILED', { evidence: `not up after ${startLimitMs / 1000} s`, log: logOf(context, unit) }),
      500,
    );
    return started ? { changed: true, what: `started the Ray ${ray.role}` } : unchanged;
  });

/** Ray sets this link to its session anew, but not one that points nowhere. */
async function removeDangling(link: string): Promise<void> {
  if (!(await stat(link).catch(() => null))) await rm(link, { force: true });
}

/** A Ray node that was started for this generation and ended is a failure, not something to start again. */
async function endedInThisGeneration(context: NodeContext, unit: string, generation: string): Promise<void> {
  if ((await readGeneration(context, unit)) !== generation) return;
  const result = await readResult(context, unit);
  if (!result) return;
  const log = logOf(context, unit);
  throw fail('RAY_FAILED', {
    evidence: `exit ${String(result.exitCode ?? result.signal)}: ${await logTail(log, 800)}`,
    log,
  });
}

/** Says when a raylet that was there is gone: `ray start` waits for one that died until its own limit is over. */
function watchRaylet(unit: string): () => Promise<boolean> {
  let group: string | null = null;
  let wasThere = false;
  return async () => {
    // Asked once, since a process for each look takes from a slow machine what Ray's helpers need: they have 15 s.
    group ??= (await lookAtUnit(unit)).controlGroup;
    const members = group === null ? [] : await membersOf(group);
    // The helpers that it forks bear its command line until they have one of their own; it outlives them.
    const isThere = members.some(({ command }) => isRaylet(command));
    const isGone = wasThere && !isThere;
    wasThere ||= isThere;
    return isGone;
  };
}

async function reachHead(ray: RayUnit): Promise<void> {
  const reason = await connects(ray.headAddress, ray.port, 5_000);
  if (reason !== null)
    throw fail('RAY_HEAD_UNREACHABLE', { address: `${ray.headAddress}:${ray.port}`, reason });
}

/** Try a TCP connection; null when it stands, else why not. */
export async function connects(host: string, port: number, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (reason: string | null) => {
      socket.destroy();
      resolve(reason);
    };
    socket.once('connect', () => {
      end(null);
    });
    socket.once('timeout', () => {
      end(`no answer within ${timeoutMs / 1000} s`);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      end(error.code ?? error.message);
    });
  });
}

/** `ray start` says this once its processes run; the head must also take connections. */
async function hasStarted(context: NodeContext, unit: string, ray: RayUnit): Promise<boolean> {
  if (!(await logTail(logOf(context, unit), 65_536)).includes('Ray runtime started')) return false;
  return ray.role === 'worker' || (await connects(ray.headAddress, ray.port, 1_000)) === null;
}

const Counted = z.object({
  ray: z.string(),
  python: z.string(),
  nodes: z.array(z.object({ alive: z.boolean(), address: z.string(), gpus: z.number() })),
  freeGpus: z.number(),
});

/** Wait until Ray shows exactly the wanted nodes: distinct addresses, since a node that came back is listed twice. */
export const confirmRayNodes = (context: NodeContext) =>
  define(context, RayNodesInput, async (input): Promise<{ nodes: number; gpus: number }> => {
    let difference = 'nothing was counted yet';
    return until(
      async () => {
        const found = await beating('counting', () => count(context, input));
        if (typeof found === 'string') {
          difference = found;
          return null;
        }
        difference = compare(input, found);
        const gpus = input.expected.reduce((sum, node) => sum + node.gpus, 0);
        return difference === '' ? { nodes: input.expected.length, gpus } : null;
      },
      120_000,
      () => fail('RAY_COUNT', { difference }),
      1_000,
    );
  });

async function count(context: NodeContext, input: RayNodesInput): Promise<z.infer<typeof Counted> | string> {
  const path = placePath(context, input.place);
  const result = await run(
    {
      file: `${path}/bin/python`,
      args: [`${context.payload}/scripts/ray_nodes.py`, `${bracket(input.headAddress)}:${input.port}`],
      env: { ...baseEnvironment(context, path), ...rayAuthentication(context) },
    },
    { timeoutMs: 60_000 },
  );
  const line = result.stdout.trim().split('\n').at(-1) ?? '';
  if (result.exitCode !== 0 || !line.startsWith('{'))
    return (result.stderr.trim().split('\n').at(-1) ?? '').slice(0, 400);
  return Counted.parse(JSON.parse(line));
}

function compare(input: RayNodesInput, found: z.infer<typeof Counted>): string {
  if (found.ray !== input.rayVersion) return `Ray is ${found.ray}, not ${input.rayVersion}`;
  const alive = new Map(found.nodes.filter((node) => node.alive).map((node) => [node.address, node.gpus]));
  const problems = input.expected.flatMap(({ address, gpus }) => {
    const seen = alive.get(address);
    if (seen === undefined) return [`${address} is missing`];
    return seen === gpus ? [] : [`${address} has ${seen} GPUs, not ${gpus}`];
  });
  const wanted = new Set(input.expected.map(({ address }) => address));
  const strangers = [...alive.keys()].filter((address) => !wanted.has(address));
  return [...problems, ...strangers.map((address) => `${address} is not in the cluster file`)].join(', ');
}
