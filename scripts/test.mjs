// Runs the tests: node scripts/test.mjs [quick | long | watch]
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (path) => join(root, 'node_modules', path);
const jest = bin('jest/bin/jest.js');

/** Takes minutes: compilers, package managers, and processes that are killed. */
const LONG = '__tests__/system/(package/|faults/|documents/(demo|examples-cluster)\\.)';

/** Needs no server of a database, and no other processes. */
const FAST = '__tests__/(unit|http)/';

const HOW_TO_GET_REDIS =
  'Put redis-server on the PATH (apt-get install redis-server, brew install redis), or set REDIS_URL.';

const HOW_TO_GET_POSTGRES =
  'Install PostgreSQL (apt-get install postgresql, brew install postgresql), or set POSTGRES_URL.';

const HOW_TO_GET_BROWSER = 'Put chromium on the PATH (apt-get install chromium), or set CHROMIUM_PATH.';

const HOW_TO_GET_SERVERS =
  'Install nginx and promtool (apt-get install nginx prometheus, brew install nginx prometheus).';

const [mode = 'standard'] = process.argv.slice(2);
const modes = { standard, quick, long, watch };
if (!Object.hasOwn(modes, mode)) throw new Error(`The mode must be quick, long or watch, but is ${mode}`);
process.exitCode = (await modes[mode]()) ? 0 : 1;

async function standard() {
  console.log('Build, checks, demo and tests: about 6 minutes on 2 cores.\n');
  if (!(await step('build', ['scripts/build.mjs']))) return false;
  // Each uses one core.
  const checks = await Promise.all([
    step('format', [bin('prettier/bin/prettier.cjs'), '--check', '.']),
    step('lint', [bin('eslint/bin/eslint.js'), '.']),
    step('types', [bin('typescript/bin/tsc')]),
    step('types of the page', [bin('typescript/bin/tsc'), '-p', 'lib/simulator/page']),
    step('demo', ['--import', 'tsx', 'lib/cli/index.ts', 'simulate', '--demo']),
  ]);
  if (!checks.every(Boolean)) return false;
  const passed = await runJest(['--coverage', '--testPathIgnorePatterns', LONG]);
  console.log('\nNot run: packed consumers, compilers, faults, the cluster example. `npm run test:long` runs them.');
  return passed;
}

function quick() {
  return runJest(['--testPathPatterns', FAST], { KIKET_EXPRESS: '5' });
}

async function long() {
  console.log('Packed consumers, compilers, faults and the cluster example: about 7 minutes on 2 cores.\n');
  const folder = mkdtempSync(join(tmpdir(), 'kiket-package-'));
  try {
    if (spawnSync('npm', ['pack', '--pack-destination', folder], { cwd: root, stdio: 'inherit' }).status !== 0)
      return false;
    // Each test that needs the tarball would otherwise build it.
    return await runJest(['--testPathPatterns', LONG], { KIKET_TARBALL: join(folder, readdirSync(folder)[0]) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function watch() {
  return run([jest, '--watch', '--testPathPatterns', FAST], { KIKET_EXPRESS: '5' });
}

/** Runs a program, and prints its output when it ends, so that those of programs at the same time do not mix. */
async function step(name, args) {
  const startedAtMs = Date.now();
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const passed = await new Promise((resolve) => child.on('close', (code) => resolve(code === 0)));
  const seconds = Math.round((Date.now() - startedAtMs) / 1000);
  console.log(`${name}: ${passed ? 'passed' : 'FAILED'} after ${seconds} s\n${output}`);
  return passed;
}

async function runJest(args, env = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'kiket-tests-'));
  const file = join(folder, 'results.json');
  try {
    const reporters = ['--reporters', join(root, 'scripts/progress-reporter.mjs'), '--reporters', 'summary'];
    const passed = await run([jest, ...args, ...reporters, '--json', '--outputFile', file], env);
    // Jest may have ended before its first test.
    if (existsSync(file)) reportSkipped(JSON.parse(readFileSync(file, 'utf8')));
    return passed;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run(args, env) {
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...env }, stdio: 'inherit' });
  return new Promise((resolve) => child.on('close', (code) => resolve(code === 0)));
}

/** A missing Redis, PostgreSQL or browser skips tests. */
function reportSkipped({ numPendingTests, testResults }) {
  if (numPendingTests === 0) return;
  console.log(
    `\nSkipped ${numPendingTests} tests, because a program is missing. ${HOW_TO_GET_REDIS}\n${HOW_TO_GET_POSTGRES}\n${HOW_TO_GET_BROWSER}\n${HOW_TO_GET_SERVERS}`,
  );
  for (const { name, assertionResults } of testResults) {
    const { length } = assertionResults.filter(({ status }) => status === 'pending');
    if (length > 0) console.log(`  ${relative(root, name)}: ${length}`);
  }
}
