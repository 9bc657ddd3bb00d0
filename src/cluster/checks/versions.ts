/** Is the chosen version of Ray and of the engine one with a known hole? */
import { isBelow } from '../../engines/version.ts';
import { type Advisory, advisories, lastChecked } from './advisories.ts';
import { type CheckedSpec, type ClusterCheck, type Judgement, failed, pass, warn } from './check.ts';

const dayMs = 86_400_000;
const staleAfterDays = 90;

export const knownHoles: ClusterCheck = {
  name: 'advisories',
  title: 'Ray and the engine have no known hole that is reached here',
  scope: 'cluster',
  judge: ({ spec, nodes }) => {
    const now = nodes[0]?.facts.clock ?? 0;
    const ageDays = Math.floor((now - Date.parse(lastChecked)) / dayMs);
    const stale =
      ageDays > staleAfterDays
        ? [
            warn(
              `the table of known holes is ${ageDays} days old (${lastChecked})`,
              'npm install -g windlass@latest',
            ),
          ]
        : [];
    const holes = advisories.flatMap((advisory) => judgeAdvisory(spec, advisory));
    const problems = [...holes, ...stale];
    return problems.length === 0 ? pass(`no known hole is reached, as of ${lastChecked}`) : problems;
  },
};

function judgeAdvisory(spec: CheckedSpec, advisory: Advisory): Judgement[] {
  const isRay = advisory.package === 'ray';
  if (!isRay && advisory.package !== spec.engine.name) return [];
  const version = isRay ? spec.ray.version : spec.engine.version;
  const isAffected = isBelow(version, advisory.below) && !isBelow(version, advisory.since ?? '0');
  if (!isAffected || advisory.reachedBy === 'closed') return [];
  const field = isRay ? 'ray.version' : 'engine.version';
  const sentence = `${advisory.package} ${version} has ${advisory.id}: ${advisory.what}`;
  const upgrade = `Set ${field} to "${advisory.below}" or newer`;
  if (!isReached(spec, advisory)) return [warn(sentence, `${upgrade}.`)];
  const withKey = advisory.reachedBy === 'no-api-key' ? ', or secrets.apiKey.' : '.';
  return [failed(sentence, `${upgrade}${withKey}`)];
}

function isReached(spec: CheckedSpec, { reachedBy }: Advisory): boolean {
  if (reachedBy === 'always') return true;
  if (reachedBy === 'closed') return false;
  if (reachedBy === 'no-api-key') return !hasApiKey(spec.secrets);
  return spec.serving.extraArguments.some((argument) =>
    reachedBy.arguments.some((name) => argument === name || argument.startsWith(`${name}=`)),
  );
}

function hasApiKey(secrets: CheckedSpec['secrets']): boolean {
  return Array.isArray(secrets)
    ? secrets.includes('apiKey')
    : 'apiKey' in secrets && secrets.apiKey !== undefined;
}
