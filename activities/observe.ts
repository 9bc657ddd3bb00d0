/** Observe one node in one look: facts, and the present state of every later step, by the same script as over ssh. */
import { readFile } from 'node:fs/promises';
import { factsArguments } from '../src/cluster/facts/arguments.ts';
import type { NodeFacts } from '../src/cluster/facts/types.ts';
import { ObserveInput } from '../src/cluster/inputs.ts';
import { fail } from '../src/errors.ts';
import { readFacts } from '../src/placing/read-facts.ts';
import { run } from '../src/process/run.ts';
import type { NodeContext } from './context.ts';
import { define } from './define.ts';

/** The limit of one look; the script bounds each of its own waits to a few seconds. */
const lookLimitMs = 40_000;

export const observeNode = (context: NodeContext) =>
  define(context, ObserveInput, async ({ spec, node }): Promise<NodeFacts> => {
    const script = await readFile(`${context.payload}/facts.sh`, 'utf8');
    const result = await run(
      { file: 'sh', args: ['-s', '--', ...factsArguments(spec, node)] },
      { input: script, timeoutMs: lookLimitMs, maxBytes: 4 * 1024 * 1024 },
    );
    if (result.exitCode !== 0) {
      throw fail('FACT_UNREADABLE', {
        fact: 'all',
        answer: (result.stderr || `exit ${String(result.exitCode)}`).slice(-300),
      });
    }
    return readFacts(result.stdout);
  });
