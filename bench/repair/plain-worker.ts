/** A worker as the SDK makes it when nothing is said, with one long activity. Arguments: address, queue. */
import { Context } from '@temporalio/activity';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

const [address = '', taskQueue = ''] = process.argv.slice(2);
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: 'OFF', forward: {} } },
});
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  taskQueue,
  activities: {
    waitLong: async (): Promise<void> => {
      const context = Context.current();
      const beat = setInterval(() => {
        context.heartbeat();
      }, 1_000);
      try {
        await context.cancelled;
      } finally {
        clearInterval(beat);
      }
    },
  },
});
await worker.run();
