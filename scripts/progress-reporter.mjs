import { relative } from 'node:path';

const PERIOD_MS = 10_000;

/**
 * A reporter for Jest that prints how many files are done: on a terminal in one line, elsewhere in a line every 10 s.
 * Failures are printed as soon as their file ends.
 */
export default class ProgressReporter {
  #lastMs = 0;

  onRunStart({ numTotalTestSuites: total }) {
    this.#print(0, total);
  }

  onTestResult(_test, { testFilePath, failureMessage, console: logged }, results) {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    const file = relative(process.cwd(), testFilePath);
    for (const { message, origin } of logged ?? [])
      process.stderr.write(`${file} printed: ${message}\n${origin.split('\n', 1)[0]}\n`);
    if (failureMessage) process.stderr.write(`FAIL ${file}\n${failureMessage}\n`);
    const { numPassedTestSuites, numFailedTestSuites, numPendingTestSuites, numTotalTestSuites } = results;
    this.#print(numPassedTestSuites + numFailedTestSuites + numPendingTestSuites, numTotalTestSuites);
  }

  #print(done, total) {
    const line = `${done} of ${total} files`;
    if (process.stderr.isTTY) process.stderr.write(done === total ? `${line}\n` : line);
    else if (done === total || Date.now() - this.#lastMs >= PERIOD_MS) {
      process.stderr.write(`${line}\n`);
      this.#lastMs = Date.now();
    }
  }
}
