/** The front's process: a systemd user unit on the head. Logs one JSON line for each refusal. */
import { startFront } from './front/front.ts';

const [settingsFile] = process.argv.slice(2);
if (settingsFile === undefined) throw new Error('usage: front.js SETTINGS.json');

const log = (event: Readonly<Record<string, unknown>>): void => {
  process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`);
};
const front = await startFront(settingsFile, log);
log({ event: 'listening', ...front.address });

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void front.close().then(() => process.exit(0));
  });
}
