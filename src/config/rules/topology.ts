/** Who the nodes are: one head among them, names of their own, and as many GPUs as the ranks need. */
import type { Finding } from '../problems.ts';
import type { Positions } from '../positions.ts';
import { showValue } from '../problems.ts';
import type { Sections } from '../sections.ts';

export function checkTopology(sections: Sections, source: Positions): Finding[] {
  return [...checkHead(sections), ...checkNames(sections, source), ...checkRanks(sections)];
}

/** More names than this in one sentence are not read. */
const namesShown = 8;

function checkHead({ head, nodes }: Sections): Finding[] {
  const names = nodes.map((node) => node.name);
  // While a node cannot be read, it may be the one.
  if (head === undefined || names.length === 0 || names.includes(undefined) || names.includes(head))
    return [];
  const shown = names.slice(0, namesShown).join(', ') + (names.length > namesShown ? ', …' : '');
  return [{ path: ['head'], message: `exactly one node is the head; ${head} is none of them (${shown})` }];
}

function checkNames({ nodes }: Sections, source: Positions): Finding[] {
  const first = new Map<string, number>();
  return nodes.flatMap(({ name }, index) => {
    if (name === undefined) return [];
    const other = first.get(name);
    if (other === undefined) {
      first.set(name, index);
      return [];
    }
    const line = source.lineOf(['nodes', other, 'name']);
    return [
      { path: ['nodes', index, 'name'], message: `${showValue(name)} is already a node (line ${line})` },
    ];
  });
}

function checkRanks({ nodes, parallel }: Sections): Finding[] {
  const gpus = nodes.flatMap((node) => node.gpus ?? []);
  if (gpus.length === 0 || gpus.length < nodes.length) return [];
  const has = gpus.reduce((sum, each) => sum + each, 0);
  const { pipeline, tensor } = parallel;
  const findings: Finding[] = [];
  if (pipeline !== undefined && tensor !== undefined && pipeline * tensor !== has) {
    const needs = pipeline * tensor;
    findings.push({
      path: ['parallel'],
      message: `pipeline ${pipeline} × tensor ${tensor} needs ${needs} ${needs === 1 ? 'GPU' : 'GPUs'}; the cluster has ${has}`,
    });
  }
  // Over Ray every node is one bundle of the same size.
  const odd = gpus.findIndex((each) => each !== gpus[0]);
  if (odd !== -1) {
    findings.push({
      path: ['nodes', odd, 'gpus'],
      message: `all nodes must give the same number of GPUs; ${nodes[0]?.name} gives ${gpus[0]}, ${nodes[odd]?.name} ${gpus[odd]}`,
    });
  }
  return findings;
}
