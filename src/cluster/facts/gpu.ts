/** Facts of the GPUs: what nvidia-smi said, in which class that puts the node, which device files stay closed. */
import type { HardwareClass } from '../../config/schema.ts';
import { type Frames, frameOf } from './frames.ts';
import { firstLine, harmless, lines } from './text.ts';
import type { Gpu, NodeFacts } from './types.ts';

type GpuFacts = Pick<
  NodeFacts,
  'gpus' | 'gpuError' | 'driver' | 'hardware' | 'tegra' | 'ptxas' | 'gpuDevicesClosed'
>;

export function readGpuFacts(frames: Frames): GpuFacts {
  const [status = '', ...answer] = (frameOf(frames, 'gpus') ?? '').split('\n');
  const rows = status === '0' ? lines(answer.join('\n')).map(readRow) : [];
  const found = rows.filter((row) => row !== null);
  const gpus = found.map(({ gpu }) => gpu);
  return {
    gpus,
    gpuError: gpus.length > 0 ? null : explain(status, answer),
    driver: found[0]?.driver ?? null,
    hardware: classOf(gpus),
    tegra: firstLine(frameOf(frames, 'nv_tegra_release')),
    ptxas: lines(frameOf(frames, 'ptxas')).map((path) => harmless(path, 500)),
    gpuDevicesClosed: readClosedDevices(frameOf(frames, 'devices')),
  };
}

/** The class that a GPU's name or capability puts a node in. */
export function classOf(gpus: readonly Gpu[]): HardwareClass {
  const [first] = gpus;
  if (!first) return 'other';
  if (/\bGB10\b/.test(first.name) || first.capability === '12.1') return 'spark';
  if (/\bThor\b/.test(first.name) || first.capability === '11.0') return 'thor';
  return 'other';
}

/** "NVIDIA GB10, 12.1, 580.95.05"; a field that the driver does not know is "[N/A]". */
function readRow(line: string): { gpu: Gpu; driver: string | null } | null {
  const fields = line.split(',').map((field) => field.trim());
  const [name = '', capability = '', driver = ''] = fields;
  if (fields.length !== 3 || name === '') return null;
  return {
    gpu: {
      name: harmless(name, 100),
      capability: /^[0-9]{1,3}\.[0-9]$/.test(capability) ? capability : null,
    },
    driver: /^[0-9][0-9.]{0,30}$/.test(driver) ? driver : null,
  };
}

function explain(status: string, answer: readonly string[]): string {
  if (status === '') return 'nvidia-smi was not asked';
  if (status === '127') return 'nvidia-smi is not installed';
  if (status === '124') return 'nvidia-smi gave no answer within 10 s';
  return firstLine(answer.join('\n').trim()) ?? `nvidia-smi ended with exit code ${harmless(status, 10)}`;
}

/** The exit code of the unit that looked, then a line "GROUP PATH" for each device that it could not open. */
function readClosedDevices(text: string | null): NodeFacts['gpuDevicesClosed'] {
  const [status, ...answer] = (text ?? '').split('\n');
  if (status !== '0') return null;
  return lines(answer.join('\n')).flatMap((line) => {
    const [, group = '', path = ''] = /^(\S+) (\/dev\/\S+)$/.exec(line) ?? [];
    return path === '' ? [] : [{ path: harmless(path, 200), group: harmless(group, 100) }];
  });
}
