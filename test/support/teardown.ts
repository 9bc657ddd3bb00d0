/** After the workflow tests: the server is gone before jest ends. */
import './setup.ts';

/** End the server and wait for its exit. */
export default async function tearDown(): Promise<void> {
  await globalThis.windlassTestServer?.stop();
}
