/** The worker's connection. Only the first connect fails at once; from then on the SDK reconnects by itself. */
import type { NativeConnectionOptions } from '@temporalio/worker';
import { NativeConnection } from '@temporalio/worker';

/** Connect, waiting for the service for as long as it takes; the supervisor would only start us again. */
export async function connectWorker(options: NativeConnectionOptions): Promise<NativeConnection> {
  for (let told = false; ; told = true) {
    try {
      return await NativeConnection.connect(options);
    } catch (error) {
      if (!told)
        process.stderr.write(`no Temporal service at ${options.address ?? '?'} yet: ${String(error)}\n`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
