/** I9: whenever `status --probe` says ready, a completion of our own works. */
import type { Scene } from '../scene.ts';
import { clusterFile } from '../places.ts';

export async function readyInVain(scene: Scene): Promise<string[]> {
  const status = await scene.run(['status', clusterFile, '--probe', '--json']);
  const word = status.exit === 0 ? (JSON.parse(status.stdout) as { status: string }).status : 'unknown';
  if (word !== 'ready') return [];
  const answer = await complete(scene);
  return answer === '' ? [] : [`I9: status says ready, and a completion ends with: ${answer}`];
}

/** Ask as a client in the cluster's network would; empty when there is an answer with text. */
export async function complete(scene: Scene): Promise<string> {
  const body = {
    model: 'windlass/tiny-llama',
    max_tokens: 8,
    messages: [{ role: 'user', content: 'Name a wind.' }],
  };
  const { stdout, stderr } = await scene.stage.lab.exec(
    'curl',
    [
      ...[
        '-sS',
        '--max-time',
        '30',
        '-H',
        `authorization: Bearer ${scene.secrets.apiKey}`,
        '-H',
        'content-type: application/json',
        '-d',
        JSON.stringify(body),
      ],
      'http://10.0.0.25:5000/v1/chat/completions',
    ],
    { reject: false },
  );
  return /"content":\s*"[^"]/.test(stdout) ? '' : `${stdout}${stderr}`;
}
