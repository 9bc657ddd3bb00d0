/** Says how many tests ran, to the script that sums over the projects; a file that could not be run counts as failed. */
import { writeFileSync } from 'node:fs';

export default class CountReporter {
  onRunComplete(_contexts, results) {
    const broken = results.testResults.filter((file) => file.testExecError != null).length;
    const counts = { passed: results.numPassedTests, failed: results.numFailedTests + broken };
    const path = process.env.WINDLASS_TEST_COUNTS;
    if (path !== undefined) writeFileSync(path, JSON.stringify(counts));
  }
}
