/** What this version brings up. The format is wider, so that files need not change when it learns the rest. */

/** Whatever names an engine and a launcher: a cluster file that is partly wrong, or a spec. */
interface Named {
  readonly engine: { readonly name?: string | undefined };
  readonly launcher?: string | undefined;
}

/** A field that names something else, and what to do. */
interface Unsupported {
  readonly path: string[];
  readonly message: string;
}

export function checkSupported({ engine, launcher }: Named): Unsupported[] {
  const findings: Unsupported[] = [];
  if (engine.name === 'vllm') {
    findings.push({
      path: ['engine', 'name'],
      message: 'vllm is not brought up by this version; use sglang',
    });
  }
  if (launcher === 'ranks') {
    findings.push({ path: ['launcher'], message: 'ranks is not brought up by this version; use ray' });
  }
  return findings;
}
