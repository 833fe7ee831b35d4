// Mutates the parts of lib/ and counts the mutants that their tests kill: node mutation/index.mjs [part…]
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Stryker } from '@stryker-mutator/core';
import { parts } from './parts.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
process.env.KIKET_EXPRESS = '5';

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts);
const unknown = names.find((name) => !(name in parts));
if (unknown !== undefined) throw new Error(`unknown part "${unknown}"; parts: ${Object.keys(parts).join(', ')}`);

console.log('| Part | Mutants | Killed | By time | Survived | No coverage | Score |');
console.log('| --- | --: | --: | --: | --: | --: | --: |');
for (const name of names) {
  try {
    const figures = countMutants(await new Stryker(optionsFor(name)).runMutationTest());
    console.log(`| ${[name, ...figures].join(' | ')} |`);
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    process.exitCode = 1;
  }
}

function countMutants(mutants) {
  const count = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
  const killed = count('Killed', 'Timeout');
  const survived = count('Survived');
  const uncovered = count('NoCoverage');
  const total = killed + survived + uncovered;
  return [
    total,
    killed,
    mutants.filter(isKilledByTime).length,
    survived,
    uncovered,
    ((killed / total) * 100).toFixed(1),
  ];
}

/** An endless loop is found by its rounds ("Hit limit reached"), and does not depend on the machine. */
function isKilledByTime({ status, statusReason = '' }) {
  if (status === 'Timeout') return !statusReason.startsWith('Hit limit');
  return status === 'Killed' && statusReason.includes('Exceeded timeout');
}

function optionsFor(name) {
  const { files, tests } = parts[name];
  const report = `mutation/reports/${name.replaceAll(' ', '-')}`;
  return {
    mutate: files.map((file) => `lib/${file}`),
    testRunner: 'jest',
    jest: {
      configFile: 'jest.config.js',
      enableFindRelatedTests: false,
      config: {
        testMatch: tests.map((test) => `<rootDir>/__tests__/${test}.test.ts`),
        testRunner: fileURLToPath(import.meta.resolve('./jest-circus-until-failure.mjs')),
        cacheDirectory: '<rootDir>/.jest-cache',
      },
    },
    // Most strings are messages, which tests must not repeat. Those that decide stand in comparisons, which are mutated.
    mutator: { excludedMutations: ['StringLiteral'] },
    coverageAnalysis: 'perTest',
    concurrency: availableParallelism(),
    // Jest's limit for each test ends what hangs. This one is for what blocks the process, and must not end a slow run.
    timeoutMS: 60_000,
    ignorePatterns: ['bench', 'coverage', 'dist', 'docs', 'examples', 'mutation', 'soak'],
    // The sandbox is inside the repository, so the packages of the repository are found without links.
    symlinkNodeModules: false,
    plugins: [import.meta.resolve('@stryker-mutator/jest-runner')],
    reporters: ['json', 'html'],
    jsonReporter: { fileName: `${report}.json` },
    htmlReporter: { fileName: `${report}.html` },
    logLevel: 'error',
    warnings: { slow: false },
  };
}
