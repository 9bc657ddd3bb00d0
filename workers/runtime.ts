/** How the workers' SDK logs: to the journal, and only what somebody has to act on. */
import { DefaultLogger, Runtime } from '@temporalio/worker';

/**
 * Call before any worker is made. Each poller would log every retry of an outage, some three lines a second. Lines of the
 * SDK's core are not forwarded to the logger: it would look for them ten times a second, which costs a machine that
 * rests more than all else that a node worker does.
 */
export function installRuntime(): void {
  Runtime.install({
    logger: new DefaultLogger('WARN'),
    telemetryOptions: { logging: { filter: 'ERROR,temporalio_client::retry=off' } },
  });
}
