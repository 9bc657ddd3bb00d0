/** Verify torch arch: torch, the kernel package and Triton's assembler each run something small, in a unit. */
import { mkdir } from 'node:fs/promises';
import { z } from 'zod';
import type { EnvironmentPlace } from '../src/cluster/inputs.ts';
import { ProofInput } from '../src/cluster/inputs.ts';
import { expandHome } from '../src/cluster/layout.ts';
import type { Proof } from '../src/cluster/state.ts';
import { fail } from '../src/errors.ts';
import { writeFileAtomic } from '../src/process/files.ts';
import { run } from '../src/process/run.ts';
import { demandSuccess, hasEndedWell, logOf, logTail, startAct, watchAct } from './acts.ts';
import type { NodeContext } from './context.ts';
import { baseEnvironment } from './context.ts';
import { define } from './define.ts';

/** Folder of the environment that a place names. */
export function placePath(context: NodeContext, place: EnvironmentPlace): string {
  return 'path' in place
    ? expandHome(place.path, context.homeDirectory)
    : `${context.layout.environments}/${place.environment}`;
}

const Printed = z.object({
  ok: z.boolean(),
  stage: z.string().optional(),
  error: z.string().optional(),
  sglang: z.string().nullable(),
  ray: z.string().nullable(),
  torch: z.string().nullable(),
  capability: z.string().nullable(),
  device: z.string().nullable(),
  archList: z.array(z.string()),
  kernelPackage: z.string().nullable(),
  assembler: z.string().nullable(),
  ran: z.array(z.string()),
});
type Printed = z.infer<typeof Printed>;

/** Run the proof, or adopt one that runs; keeps the evidence in `proofs/`. */
export const verifyTorchArch = (context: NodeContext) =>
  define(context, ProofInput, async (input): Promise<Proof> => {
    const path = placePath(context, input.place);
    const unit = `windlass-proof-${input.proof}`;
    await runProof(context, unit, path, input);
    const printed = await readPrinted(context, unit);
    judge(printed, input);
    const proof: Proof = {
      environment: input.proof,
      hardware: input.hardware,
      capability: printed.capability ?? '?',
      device: printed.device ?? '?',
      driver: await driverVersion(),
      torch: printed.torch ?? '?',
      archList: printed.archList,
      kernelPackage: printed.kernelPackage ?? '?',
      assembler: printed.assembler ?? '?',
      ran: printed.ran,
      at: Date.now(),
    };
    await mkdir(context.layout.proofs, { recursive: true, mode: 0o700 });
    await writeFileAtomic(`${context.layout.proofs}/${input.proof}.json`, JSON.stringify(proof), {
      mode: 0o600,
    });
    return proof;
  });

async function runProof(context: NodeContext, unit: string, path: string, input: ProofInput): Promise<void> {
  const generation = input.run.fence.run;
  await startAct(context, {
    unit,
    generation,
    step: 'verify torch arch',
    run: input.run,
    file: `${path}/bin/python`,
    args: [`${context.payload}/scripts/prove_arch.py`],
    env: { ...baseEnvironment(context, path), ...input.variables },
    options: { description: 'windlass: verify torch arch', stopSeconds: 10 },
    isDone: () => hasEndedWell(context, unit, generation),
  });
  const result = await watchAct(context, unit, () => Promise.resolve({ phase: 'running kernels' }), 20_000);
  await demandSuccess(context, unit, result, (evidence) => fail('PROOF_FAILED', { evidence }));
}

async function readPrinted(context: NodeContext, unit: string): Promise<Printed> {
  const tail = await logTail(logOf(context, unit), 16_384);
  const line = tail.split('\n').findLast((each) => each.startsWith('{"ok"'));
  if (line === undefined) throw fail('PROOF_FAILED', { evidence: tail.slice(-600) || 'it printed nothing' });
  return Printed.parse(JSON.parse(line));
}

const expectedCapability = { spark: '12.1', thor: '11.0', other: null } as const;

/** Throw the error that the printed evidence stands for. */
function judge(printed: Printed, input: ProofInput): void {
  const { place, hardware } = input;
  if ('path' in place) {
    const found = { [place.engine]: printed.sglang, ray: printed.ray };
    const wanted = { [place.engine]: place.engineVersion, ray: place.rayVersion };
    for (const [name, version] of Object.entries(wanted)) {
      if (found[name] !== version) {
        throw fail('ENVIRONMENT_DIFFERS', {
          path: place.path,
          difference: `${name} is ${found[name] ?? 'missing'}, not ${version}`,
        });
      }
    }
  }
  const capability = printed.capability ?? 'unknown';
  const expected = expectedCapability[hardware];
  if (!printed.ok) {
    const evidence = printed.error ?? 'no reason given';
    if (printed.stage === 'torch' && /is_available\(\) is False|not compiled with CUDA/.test(evidence)) {
      throw fail('TORCH_CPU_ONLY', { version: printed.torch ?? '?', class: hardware });
    }
    if (printed.stage === 'assembler') throw fail('ASSEMBLER_MISMATCH', { evidence });
    throw fail('ARCH_MISMATCH', {
      library:
        printed.stage === 'torch'
          ? `torch ${printed.torch ?? '?'}`
          : `the kernel package ${printed.kernelPackage ?? '?'}`,
      capability,
      evidence: evidence.split('\n')[0],
      archList: printed.archList.join(' ') || 'unknown architectures',
      class: hardware,
    });
  }
  if (expected !== null && capability !== expected) {
    throw fail('ARCH_MISMATCH', {
      library: 'the cluster file',
      capability,
      evidence: `a ${hardware} has ${expected}`,
      archList: hardware,
      class: hardware,
    });
  }
}

async function driverVersion(): Promise<string | null> {
  const result = await run(
    { file: 'nvidia-smi', args: ['--query-gpu=driver_version', '--format=csv,noheader'] },
    { timeoutMs: 20_000 },
  ).catch(() => null);
  const version = result?.exitCode === 0 ? result.stdout.trim().split('\n')[0] : undefined;
  return version === undefined || version === '' ? null : version;
}
