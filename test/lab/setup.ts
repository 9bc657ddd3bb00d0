/**
 * Before the lab tests: what all of them use and none changes is fetched and built once, so that labs can then run side
 * by side.
 */
import { ensureImages } from './lab.ts';
import { prepareStage } from './stage.ts';

/** Prepare the images of both architectures, wheels, models and payloads; throws in one sentence where no lab can run. */
export default async function setUp(): Promise<void> {
  const log = (sentence: string): void => {
    console.log(`lab: ${sentence}`);
  };
  await ensureImages(['x86_64', 'aarch64'], log);
  await prepareStage({ aarch64: ['thorx'], log });
}
