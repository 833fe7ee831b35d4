// Runs the test files of a mutant until a test fails. The Jest runner of Stryker cannot do that, and loads every file for
// every mutant. It recognises Jest's own runner by "jest-circus" in the name of this file.
import { createEmptyTestResult } from '@jest/test-result';
import circus from 'jest-circus/runner';

/** The full names of the tests in each file that was run before. */
const namesByFile = new Map();
let killedMutant;

export default async function runUntilFailure(globalConfig, config, environment, runtime, file, ...rest) {
  // Without a mutant, Stryker measures which tests cover what: all of them run, and must pass.
  const mutant = process.env.__STRYKER_ACTIVE_MUTANT__;
  const isKilled = () => mutant !== undefined && mutant === killedMutant;
  if (isKilled() || !hasTest(file, globalConfig.testNamePattern)) return resultOf({ status: 'pending' });

  const { handleTestEvent } = environment;
  environment.handleTestEvent = async (event, state) => {
    await handleTestEvent?.call(environment, event, state);
    if (event.name === 'test_start' && isKilled()) event.test.mode = 'skip';
    if (event.name === 'test_done' && event.test.errors.length > 0) killedMutant = mutant;
  };
  try {
    const result = await circus.default(globalConfig, config, environment, runtime, file, ...rest);
    if (result.testExecError) throw new Error(result.failureMessage);
    namesByFile.set(
      file,
      result.testResults.map(({ fullName }) => fullName),
    );
    return result;
  } catch (error) {
    if (mutant === undefined) throw error;
    // A mutant that breaks what a file does before its tests is killed. To Stryker it would be a mutant that cannot run.
    killedMutant = mutant;
    return resultOf({ status: 'failed', failureMessages: [String(error)] });
  }
}

function hasTest(file, namePattern) {
  const names = namesByFile.get(file);
  if (namePattern === undefined || names === undefined) return true;
  const pattern = new RegExp(namePattern);
  return names.some((name) => pattern.test(name));
}

/** The result of a file whose tests are not run: Jest expects at least one test. */
function resultOf(test) {
  return {
    ...createEmptyTestResult(),
    numFailingTests: test.status === 'failed' ? 1 : 0,
    testResults: [
      { ancestorTitles: [], title: 'file', fullName: 'file', failureMessages: [], failureDetails: [], ...test },
    ],
  };
}
