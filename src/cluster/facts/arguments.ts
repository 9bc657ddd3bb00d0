/** What the facts script is asked about a node: the folders, ports and servers that the cluster file names. */
import type { ClusterSpec, HardwareClass } from '../../config/schema.ts';
import { defaultIndex } from '../environments.ts';
import { helperPorts } from '../gang.ts';

/** The part of a cluster file or spec that the questions come from; ids may not be minted yet. */
export type FactsQuestions = Pick<
  ClusterSpec,
  'root' | 'model' | 'ray' | 'serving' | 'temporal' | 'environments'
> & {
  readonly nodes: readonly {
    readonly name: string;
    readonly hardware: HardwareClass | 'auto';
    readonly id?: string;
  }[];
};

/** Arguments of facts.sh for a node, given by its id or its name. */
export function factsArguments(spec: FactsQuestions, node: string): string[] {
  const found = spec.nodes.find((each) => each.id === node || each.name === node);
  const { model } = spec;
  return [
    '--root',
    spec.root,
    ...('path' in model ? ['--model-dir', model.path] : []),
    '--ports',
    wantedPorts(spec).join(','),
    ...wantedServers(spec, found?.hardware ?? 'auto').flatMap((url) => ['--reach', url]),
  ];
}

/** Package indexes that nodes of a class install from; none where the environment was built by hand. */
export function indexesOf(spec: Pick<ClusterSpec, 'environments'>, hardware: HardwareClass): string[] {
  const entry = spec.environments[hardware];
  if (entry && 'path' in entry) return [];
  const pages = (entry?.findLinks ?? []).filter((link) => /^https?:\/\//.test(link));
  return [...new Set([entry?.index ?? defaultIndex, ...(entry?.extraIndexes ?? []), ...pages])];
}

/** Ports that the nodes will need; those of the head are asked everywhere, since a hand-started Ray may be anywhere. */
function wantedPorts({ ray, serving, temporal }: FactsQuestions): number[] {
  return [
    ...new Set([
      ray.port,
      ...helperPorts(ray.port),
      serving.port,
      serving.rendezvousPort,
      temporal.port,
      temporal.uiPort,
      temporal.frontPort,
    ]),
  ];
}

/** While the class of a node is not known, the indexes of all classes are tried. */
function wantedServers(spec: FactsQuestions, hardware: HardwareClass | 'auto'): string[] {
  const classes: readonly HardwareClass[] = hardware === 'auto' ? ['spark', 'thor', 'other'] : [hardware];
  const indexes = classes.flatMap((each) => indexesOf(spec, each));
  return [...new Set([...indexes, ...('id' in spec.model ? [spec.model.endpoint] : [])])];
}
