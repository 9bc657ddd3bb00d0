/** What the engine and its launcher can do, and what their versions must at least be. */
import type { Finding } from '../problems.ts';
import { isCommit } from '../schema.ts';
import { sglang } from '../../engines/sglang.ts';
import { checkSupported } from '../../engines/supported.ts';
import { isBelow } from '../../engines/version.ts';
import type { Sections } from '../sections.ts';

/** Below this, whoever reaches the dashboard can stop jobs (CVE-2026-27482), and older holes run code. */
const rayFloor = '2.54.0';

export function checkEngine(sections: Sections): Finding[] {
  return [
    ...checkSupported(sections),
    ...checkVersions(sections),
    ...checkArguments(sections),
    ...checkCache(sections),
    ...checkConsent(sections),
  ];
}

function checkVersions({ engine, launcher, ray }: Sections): Finding[] {
  const findings: Finding[] = [];
  const { version } = engine;
  if (
    engine.name === 'sglang' &&
    launcher === 'ray' &&
    version !== undefined &&
    isBelow(version, sglang.floor)
  ) {
    findings.push({
      path: ['engine', 'version'],
      message: `SGLang ${version} cannot be started over Ray; ${sglang.floor} is the first that can`,
    });
  }
  if (ray.version !== undefined && isBelow(ray.version, rayFloor)) {
    findings.push({
      path: ['ray', 'version'],
      message: `Ray ${ray.version} has holes through which strangers stop and run jobs; use ${rayFloor} or newer`,
    });
  }
  return findings;
}

function checkArguments({ engine, serving }: Sections): Finding[] {
  if (engine.name !== 'sglang') return [];
  return sglang.checkArguments(serving.extraArguments ?? []).map(({ index, message }) => ({
    path: ['serving', 'extraArguments', index],
    message,
  }));
}

function checkCache({ engine, serving }: Sections): Finding[] {
  const wanted = serving.kvCacheDtype;
  if (engine.name !== 'sglang' || wanted === undefined || sglang.kvCacheDtypes.includes(wanted)) return [];
  const instead = wanted === 'fp8' ? 'fp8_e4m3 (fp8 is the word of vLLM)' : sglang.kvCacheDtypes.join(', ');
  return [{ path: ['serving', 'kvCacheDtype'], message: `SGLang has no ${wanted}; use ${instead}` }];
}

/** A spec is asked the same by its schema; this one names the line. */
function checkConsent({ model }: Sections): Finding[] {
  const { id, revision, trustRemoteCode } = model;
  if (!trustRemoteCode || id === undefined || revision === undefined) return [];
  if (isCommit(revision)) return [];
  return [
    {
      path: ['model', 'trustRemoteCode'],
      message: `running the model's own code needs a commit hash (40 digits) as revision, not ${revision}`,
    },
  ];
}
