/** Before the workflow tests: one real Temporal server and one workflow bundle for all files. */
import makeBundle from './bundle.ts';
import { startTemporal, type TemporalServer } from './temporal.ts';

declare global {
  var windlassTestServer: TemporalServer | undefined;
}

/** Start the server and make the bundle; both are handed over by the environment. */
export default async function setUp(): Promise<void> {
  const [server] = await Promise.all([startTemporal(), makeBundle()]);
  globalThis.windlassTestServer = server;
  process.env['WINDLASS_TEST_TEMPORAL'] = server.address;
  process.env['WINDLASS_TEST_TEMPORAL_BINARY'] = server.binary;
}
