/** The Python environments: one Python for all nodes, no requirement that another field sets, no password in a URL. */
import type { Finding } from '../problems.ts';
import { BuiltEnvironment } from '../schema.ts';
import type { EnvironmentFields, Sections } from '../sections.ts';

export function checkEnvironments(sections: Sections): Finding[] {
  const entries = Object.entries(sections.environments);
  return [
    ...checkPython(sections),
    ...entries.flatMap(([name, entry]) => [...checkPackages(name, entry), ...checkUrls(name, entry)]),
    ...checkEndpoint(sections),
  ];
}

/** Ray compares Python down to the patch and refuses a node that differs. */
function checkPython({ environments, nodes }: Sections): Finding[] {
  const named = nodes.flatMap(({ hardware }) =>
    hardware === undefined || hardware === 'auto' ? [] : [hardware],
  );
  const byDefault = [...new Set(named)].filter((name) => environments[name] === undefined);
  const built = [
    ...byDefault.map((name) => ({ name, python: BuiltEnvironment.parse({}).python })),
    ...Object.entries(environments).flatMap(([name, { isBuiltByHand, python }]) =>
      isBuiltByHand || python === undefined ? [] : [{ name, python }],
    ),
  ];
  const [first] = built;
  return built.flatMap(({ name, python }) =>
    first === undefined || python === first.python
      ? []
      : [
          {
            path: ['environments', name, 'python'],
            message: `Ray needs the same Python on all nodes: ${first.name} has ${first.python}, ${name} ${python}`,
          },
        ],
  );
}

/** Packages that other fields pin. */
const pinnedElsewhere: Readonly<Record<string, string>> = {
  sglang: 'engine.version',
  vllm: 'engine.version',
  ray: 'ray.version',
};

function checkPackages(name: string, entry: EnvironmentFields): Finding[] {
  return (entry.packages ?? []).flatMap((requirement, index) => {
    const packageName = (/^[A-Za-z0-9._-]+/.exec(requirement)?.[0] ?? '').toLowerCase();
    const field = Object.hasOwn(pinnedElsewhere, packageName) ? pinnedElsewhere[packageName] : undefined;
    if (field === undefined) return [];
    return [
      {
        path: ['environments', name, 'packages', index],
        message: `${packageName} is installed anyway; its version is ${field}`,
      },
    ];
  });
}

const netrc = 'holds a login; it would be kept in histories and locks. Put it into ~/.netrc of the nodes';

function checkUrls(name: string, entry: EnvironmentFields): Finding[] {
  const at = (path: readonly (string | number)[], url: string | undefined): Finding[] =>
    url !== undefined && holdsLogin(url) ? [{ path: ['environments', name, ...path], message: netrc }] : [];
  return [
    ...at(['index'], entry.index),
    ...(entry.extraIndexes ?? []).flatMap((url, index) => at(['extraIndexes', index], url)),
    ...(entry.findLinks ?? []).flatMap((url, index) => at(['findLinks', index], url)),
  ];
}

function checkEndpoint({ model }: Sections): Finding[] {
  if (model.endpoint === undefined || !holdsLogin(model.endpoint)) return [];
  return [
    {
      path: ['model', 'endpoint'],
      message: 'holds a login; it would be kept in histories. Use secrets.huggingFaceToken',
    },
  ];
}

function holdsLogin(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}
