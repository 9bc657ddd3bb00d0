/** Launch the engine on the head as a user unit, and wait until it is ready: judged by progress, not by one time-out. */
import { open, readFile } from 'node:fs/promises';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { engineUnitName } from '../src/cluster/gang.ts';
import type { EngineUnit } from '../src/cluster/inputs.ts';
import { EngineInput, ReadyInput, WatchInput } from '../src/cluster/inputs.ts';
import type { Phase } from '../src/engines/engine.ts';
import { stuckBecause } from '../src/engines/patience.ts';
import {
  explainExit,
  readPhase,
  sglang,
  sglangApiKeyConfig,
  sglangArguments,
} from '../src/engines/sglang.ts';
import { fail } from '../src/errors.ts';
import type { Command } from '../src/process/command.ts';
import { writeFileAtomic } from '../src/process/files.ts';
import { lookAtUnit, membersOf } from '../src/process/units.ts';
import type { Changed } from './acts.ts';
import { logOf, logTail, readGeneration, readResult, runFolder, sleep, startAct, unchanged } from './acts.ts';
import type { NodeContext } from './context.ts';
import { baseEnvironment } from './context.ts';
import { define } from './define.ts';
import { placePath } from './proof.ts';
import { rayAuthentication } from './ray.ts';
import { daemonDied } from './ray-daemons.ts';
import { SignsOfProgress } from './signs.ts';

const lookEveryMs = 500;

export const apiKeyPath = (context: NodeContext): string => `${context.layout.secrets}/apiKey`;
const keyConfigPath = (context: NodeContext): string => `${context.layout.secrets}/engine.yaml`;

/** The command of the engine, as a value; its key stands in a 0600 file. */
function engineCommand(context: NodeContext, engine: EngineUnit): Command & { env: Record<string, string> } {
  const path = placePath(context, engine.place);
  const { headAddress, rayPort } = engine;
  return {
    file: `${path}/bin/python`,
    args: [
      '-m',
      'sglang.launch_server',
      ...sglangArguments({
        ...engine,
        modelPath: engine.model,
        ...(engine.withApiKey && { configFile: keyConfigPath(context) }),
      }),
    ],
    env: {
      ...baseEnvironment(context, path),
      ...engine.variables,
      ...rayAuthentication(context),
      RAY_ADDRESS: `${headAddress.includes(':') ? `[${headAddress}]` : headAddress}:${rayPort}`,
      RAY_TMPDIR: context.layout.ray,
      RAY_DEDUP_LOGS: '0',
      HF_HUB_OFFLINE: '1',
    },
  };
}

/** Start the engine, or adopt the unit that runs as wanted. */
export const launchServer = (context: NodeContext) =>
  define(context, EngineInput, async ({ run, engine, generation }): Promise<Changed> => {
    const unit = engineUnitName(engine);
    // A later option beats ours, as another port or another model would.
    const [refused] = sglang.checkArguments(engine.extraArguments);
    if (refused) throw fail('SPEC_INVALID', { problems: `serving.extraArguments: ${refused.message}` });
    if (engine.withApiKey) {
      const key = (await readFile(apiKeyPath(context), 'utf8')).trim();
      await writeFileAtomic(keyConfigPath(context), sglangApiKeyConfig(key), { mode: 0o600 });
    }
    const { file, args, env } = engineCommand(context, engine);
    const started = await startAct(context, {
      unit,
      generation,
      step: 'launch server',
      run,
      file,
      args,
      env,
      secretFiles: [
        `${context.layout.secrets}/rayToken`,
        ...(engine.withApiKey ? [apiKeyPath(context)] : []),
      ],
      ports: [
        { address: engine.address, port: engine.port },
        { address: engine.headAddress, port: engine.rendezvousPort },
      ],
      options: {
        description: `windlass: ${engine.engine} ${engine.servedName}`,
        stopSeconds: 30,
        oomScoreAdjust: 500,
      },
      isDone: async () => {
        await endedInThisGeneration(context, unit, generation, 'starting');
        return false;
      },
    });
    return started ? { changed: true, what: `launched ${engine.engine} ${engine.version}` } : unchanged;
  });

async function endedInThisGeneration(
  context: NodeContext,
  unit: string,
  generation: string,
  phase: string,
): Promise<void> {
  if ((await readGeneration(context, unit)) !== generation) return;
  const result = await readResult(context, unit);
  if (!result) return;
  const log = logOf(context, unit);
  const evidence =
    explainExit(await logTail(log, 16_384), result.exitCode).join(' · ') || 'it printed nothing';
  if (result.exitCode === 2) throw fail('ENGINE_REFUSED', { evidence });
  const after = `${Math.round((result.endedAt - result.startedAt) / 1000)} s`;
  throw fail('ENGINE_EXITED', { phase, after, exit: result.exitCode ?? result.signal, evidence, log });
}

/** Reads what a log has grown by, line by line, from its beginning. */
class LogReader {
  private offset = 0;
  private rest = '';
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get bytes(): number {
    return this.offset;
  }

  async lines(): Promise<string[]> {
    const file = await open(this.path, 'r').catch(() => null);
    if (!file) return [];
    try {
      const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(262_144), position: this.offset });
      this.offset += bytesRead;
      const lines = (this.rest + buffer.subarray(0, bytesRead).toString('utf8')).split('\n');
      this.rest = lines.pop() ?? '';
      return lines;
    } finally {
      await file.close();
    }
  }
}

/** Wait until the engine says that it is ready; slow is allowed, stuck and dead are errors that name the phase. */
export const confirmReady = (context: NodeContext) =>
  define(
    context,
    ReadyInput,
    async ({ engine, generation, ray, patience }): Promise<{ phases: Record<string, number> }> => {
      const unit = engineUnitName(engine);
      const signal = cancellationSignal();
      const log = new LogReader(logOf(context, unit));
      const phases: Record<string, number> = {};
      const startedAt = performance.now();
      let phase: Phase = 'imports';
      const signs = new SignsOfProgress([unit, ray], startedAt);
      for (;;) {
        const lines = await log.lines();
        for (const line of lines) phase = readPhase(line) ?? phase;
        phases[phase] ??= Math.round((performance.now() - startedAt) / 100) / 10;
        if (phase === 'ready') return { phases };
        await endedInThisGeneration(context, unit, generation, phase);
        const now = performance.now();
        const why = stuckBecause(patience, phase, await signs.seenAt(now, lines.length > 0), now);
        if (why !== null) throw fail('ENGINE_STUCK', { phase, why, log: logOf(context, unit) });
        await stillThere(context, unit, generation, phase);
        heartbeat({ v: 1, phase, bytes: log.bytes });
        await sleep(lookEveryMs, signal);
        if (signal.aborted) throw signal.reason;
      }
    },
  );

/** A unit that is neither active nor has a result was killed as a whole, or lost with the machine's power. */
async function stillThere(
  context: NodeContext,
  unit: string,
  generation: string,
  phase: string,
): Promise<void> {
  if ((await lookAtUnit(unit)).active) return;
  await endedInThisGeneration(context, unit, generation, phase);
  throw fail('ENGINE_EXITED', {
    phase,
    after: 'some time',
    exit: 'unknown',
    evidence: 'its unit is gone (killed as a whole, or the machine was restarted)',
    log: `${runFolder(context, unit)}/log`,
  });
}

/** Watch a unit of the gang on its own node for as long as this activity lasts; throws as soon as it is not there. */
export const watchGangUnit = (context: NodeContext) =>
  define(context, WatchInput, async ({ unit }): Promise<void> => {
    const signal = cancellationSignal();
    for (;;) {
      if (signal.aborted) throw signal.reason;
      const { active, controlGroup } = await lookAtUnit(unit);
      if (!active) {
        const log = logOf(context, unit);
        throw fail('RAY_FAILED', { evidence: `the unit ${unit} is gone. ${await logTail(log, 600)}`, log });
      }
      const died = controlGroup === null ? null : await daemonDied(context, await membersOf(controlGroup));
      if (died) throw died;
      heartbeat({ v: 1 });
      await sleep(1_000, signal);
    }
  });
