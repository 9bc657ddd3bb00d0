/** Environment variables for Ray and the engine: none that changes which code runs, none that holds a secret. */
import { reservedVariable } from '../../cluster/inputs.ts';
import type { Finding, Path } from '../problems.ts';
import type { Sections } from '../sections.ts';

type Variables = Readonly<Record<string, string>>;

/** What to set in the place of a reserved variable. */
const instead: readonly (readonly [RegExp, string])[] = [
  [/^(?:PATH|PYTHON|LD_)/, 'use environments.<class>.packages or path instead'],
  [/^RAY_AUTH/, 'the token is made for each cluster'],
  [/^RAY_ADDRESS$/, 'it follows from head and ray.port'],
  [/^CUDA_VISIBLE_DEVICES$/, 'use gpus of the node instead; Ray gives each rank its GPU'],
  [/^DUMPER_SERVER_PORT$/, 'it lets whoever reaches that port run code'],
  [/^WINDLASS_/, 'these belong to windlass itself'],
];

export function checkVariables({ environments, network }: Sections): Finding[] {
  return [
    ...Object.entries(environments).flatMap(([name, { variables }]) =>
      checkClass(['environments', name, 'variables'], variables ?? {}),
    ),
    ...checkFamily(['network', 'nccl'], 'NCCL_', network.nccl ?? {}),
    ...checkFamily(['network', 'gloo'], 'GLOO_', network.gloo ?? {}),
    ...checkGlooInterface(network.gloo ?? {}),
  ];
}

function checkClass(path: Path, variables: Variables): Finding[] {
  return Object.entries(variables).flatMap(([name, value]) => {
    const message = reserved(name) ?? family(name) ?? secret(name, value);
    return message === undefined ? [] : [{ path: [...path, name], message }];
  });
}

function reserved(name: string): string | undefined {
  if (!reservedVariable.test(name)) return undefined;
  const hint = instead.find(([pattern]) => pattern.test(name))?.[1];
  return `${name} is reserved${hint === undefined ? '' : `; ${hint}`}`;
}

/** Settings of the transport must be equal on all ranks, or these wait for each other without a word. */
function family(name: string): string | undefined {
  if (name.startsWith('NCCL_')) return `${name} must be equal on all nodes; set network.nccl instead`;
  return name.startsWith('GLOO_')
    ? `${name} must be equal on all nodes; set network.gloo instead`
    : undefined;
}

const namesASecret = /(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|API_?KEY|ACCESS_?KEY)(?:_|$)/i;

function secret(name: string, value: string): string | undefined {
  if (!namesASecret.test(name) && !/^hf_\w{16,}$/.test(value)) return undefined;
  return `${name} looks like a secret; secrets go in secrets, as fromEnv or fromFile, never in the file`;
}

function checkFamily(path: Path, prefix: string, variables: Variables): Finding[] {
  return Object.keys(variables)
    .filter((name) => !name.startsWith(prefix))
    .map((name) => ({ path: [...path, name], message: `${name} does not begin with ${prefix}` }));
}

/** Gloo takes one exact name, where NCCL takes prefixes and exclusions. */
function checkGlooInterface(gloo: Variables): Finding[] {
  const value = gloo['GLOO_SOCKET_IFNAME'];
  if (value === undefined || /^[A-Za-z0-9._@-]{1,15}$/.test(value)) return [];
  return [
    {
      path: ['network', 'gloo', 'GLOO_SOCKET_IFNAME'],
      message:
        'Gloo takes one exact interface name, without ^, = or commas; leave it out and each node uses its own',
    },
  ];
}
