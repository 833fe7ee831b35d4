// Runs the suite under the other supported majors of Node. Their binaries come from npm.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Each with one major of Express: what Express does differently does not depend on Node. */
const MAJORS = [
  { major: '22', express: '4' },
  { major: '24', express: '5' },
];

/**
 * Tests whose result does not depend on the Node that runs them: compilers and checkers, documents and examples, the page, searches
 * that are pure functions, mutants of receivers and of stores, what clients of databases convert, and how servers and processes end.
 */
const SKIPPED = [
  'system/(package/(?!javascript)|faults/|documents/|page/)',
  'system/(pg-boss/|postgres/(store|clients|faults|transaction-libraries)\\.)',
  'unit/(layout|explain/|testing/store-contract)',
  'http/(properties|conformance/mutants)',
];
const root = fileURLToPath(new URL('..', import.meta.url));

for (const { major, express } of MAJORS) {
  const folder = join(tmpdir(), `kiket-express-node-${major}`);
  mkdirSync(folder, { recursive: true });
  run('npm', ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', `node@${major}`]);
  const node = join(folder, 'node_modules', 'node', 'bin', 'node');
  // First on the PATH, so that processes which the tests start use it too.
  const env = { ...process.env, PATH: dirname(node) + delimiter + process.env.PATH, KIKET_EXPRESS: express };
  run(node, ['--version'], env);
  run(
    node,
    [
      join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
      '--testPathIgnorePatterns',
      `__tests__/(${SKIPPED.join('|')})`,
    ],
    env,
  );
}

function run(command, args, env = process.env) {
  const { status } = spawnSync(command, args, { cwd: root, env, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
