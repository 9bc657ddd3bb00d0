/** The proof of a serving cluster: the right model is listed, a completion comes back, and a stream delivers tokens. */
import { SmokeInput } from '../src/cluster/inputs.ts';
import { beating } from './acts.ts';
import type { Completed, Streamed } from './api-client.ts';
import { apiClient, prompt } from './api-client.ts';
import type { NodeContext } from './context.ts';
import { define } from './define.ts';

export interface SmokeReport extends Completed, Streamed {
  readonly prompt: string;
  readonly at: number;
}

/** Ask the server as a client would. */
export const smokeTest = (context: NodeContext) =>
  define(context, SmokeInput, async (input): Promise<SmokeReport> => {
    const client = await apiClient(context, input);
    return beating('asking', async () => {
      await client.demandModel(input.servedName);
      return {
        prompt,
        ...(await client.complete(input.servedName)),
        ...(await client.stream(input.servedName)),
        at: Date.now(),
      };
    });
  });
