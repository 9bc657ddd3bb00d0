/** Runs a worker for as long as its process lives. */
import type { Worker } from '@temporalio/worker';

/** The SDK keeps what it logs for a moment, and the reason must not be lost. */
const LOG_MS = 300;
/** Each look wakes a process that rests. */
const LOOK_MS = 5_000;

/**
 * Poll until the process is told to end. A worker that has failed ends the process at once, so that its supervisor
 * starts it anew: the SDK gives up after a minute of refused polls (a service that came back without our namespace, a
 * certificate that has expired), and its `run` may then wait for ever for the polls that are still open.
 */
export async function runWorker(worker: Worker): Promise<void> {
  const watch = setInterval(() => {
    if (worker.getState() === 'FAILED') setTimeout(() => process.exit(1), LOG_MS);
  }, LOOK_MS);
  try {
    await worker.run();
  } finally {
    clearInterval(watch);
  }
}
