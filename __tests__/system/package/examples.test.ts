import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { ListeningProcess } from '../../support/example-process';
import { readExamples, type Example } from '../../support/examples';
import { closedOrigin } from '../../support/loopback-server';
import { blocksOf } from '../../support/markdown';
import { describeWithPostgres, startPostgres } from '../../support/postgres-server';
import { describeWithRedis, startRedis } from '../../support/redis-server';
import { startThirdParty } from '../../support/third-party';
import { userEnvironment } from '../../support/user-environment';
import { PATIENCE_MS, run, Workbench, writeJson, type Outcome } from './workbench';

const workbench = new Workbench();

// docs/operations/deployment.md describes the example without a README, which runs in a container.
const examples = readExamples().filter(({ files }) => files.has('README.md'));

/** The folder of the examples that are installed together. In one with two majors, types of Express would be mixed. */
const rootOf = ({ manifest }: Example): string => workbench.path('copies', manifest.dependencies['express']!);

const copyOf = (example: Example): string => join(rootOf(example), example.name);

const roots = [...new Set(examples.map(rootOf))].map(
  (root) => [root, examples.filter((example) => rootOf(example) === root)] as const,
);

beforeAll(async () => {
  await workbench.pack();
  for (const example of examples) {
    for (const file of example.files.keys()) cpSync(join(example.folder, file), join(copyOf(example), file));
  }
  await Promise.all(roots.map(([root, group]) => install(root, group)));
}, PATIENCE_MS);

/** Gives each of them the packages that it declares. What several declare is installed once. */
async function install(root: string, group: readonly Example[]): Promise<void> {
  writeJson(join(root, 'package.json'), {
    private: true,
    workspaces: group.map(({ name }) => name),
    overrides: { 'kiket-express': `file:${workbench.tarball}` },
  });
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts'];
  const { code, output } = await run(root, 'npm', 'install', ...flags);
  if (code !== 0) throw new Error(output);
}

afterAll(() => workbench.dispose());

/** A program that a shell runs, in a process group of its own. */
class ShellProcess extends ListeningProcess {
  constructor(command: string, cwd: string, environment: Readonly<Record<string, string>>) {
    const env = { ...userEnvironment, npm_config_update_notifier: 'false', ...environment };
    super(spawn('bash', ['-c', command], { cwd, env, detached: true }));
  }

  /** Sends SIGTERM to the program alone. The shell of npm does not pass signals on. */
  terminate(): void {
    const program = '^node .*(index\\.ts|kiket-express dev)';
    const { stdout } = spawnSync('pgrep', ['-g', String(this.child.pid), '-f', program], { encoding: 'utf8' });
    if (!/^\d+\n$/.test(stdout)) throw new Error(`There must be one process ${program}, but there are: ${stdout}`);
    process.kill(Number(stdout), 'SIGTERM');
  }

  /** Ends the group, after a test that has failed. `kiket-express dev` ends its service, which has another group. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    process.kill(-this.child.pid!, 'SIGTERM');
    await once(this.child, 'close');
  }
}

/** A copy of an example, which is used as its README says. */
class Copy {
  readonly #folder: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #commands: readonly string[];
  #process: ShellProcess | undefined;

  private constructor(name: string, port: string, environment: Readonly<Record<string, string>>) {
    const example = examples.find((each) => each.name === name)!;
    const readme = example.files.get('README.md')!;
    this.#folder = copyOf(example);
    this.#environment = { PORT: port, ...environment };
    this.#commands = blocksOf(readme)
      .filter(({ language }) => language === 'sh')
      .map(({ code }) => code.trim().replaceAll('3000', port));
  }

  static async of(name: string, environment: Readonly<Record<string, string>> = {}): Promise<Copy> {
    return new Copy(name, new URL(await closedOrigin()).port, environment);
  }

  /** Runs the first command, which starts the service. */
  async start(): Promise<void> {
    const [install, ...start] = this.#commands[0]!.split('\n');
    expect(install).toBe('npm install');
    this.#process = new ShellProcess(start.join('\n'), this.#folder, this.#environment);
    await this.#process.origin();
  }

  /** Runs the command with a word, which ends. */
  run(word: string): Promise<Outcome> {
    const command = this.#commands.find((text) => text.includes(`npx kiket-express ${word} `))!;
    return run(this.#folder, 'env', `PORT=${this.#environment['PORT']}`, 'bash', '-c', command);
  }

  async end(): Promise<{ code: number | null; output: string }> {
    const end = this.#process!.end();
    this.#process!.terminate();
    return end;
  }

  async dispose(): Promise<void> {
    await this.#process?.stop();
  }
}

let copy: Copy;
afterEach(() => copy.dispose());

/** @param code with which the first command of the README ends on SIGTERM. */
async function itAnswers(reply: string, code = 0): Promise<void> {
  await copy.start();
  expect(await copy.run('send')).toEqual({ code: 0, output: expect.stringContaining(reply) as string });
  expect(await copy.end()).toMatchObject({ code });
}

describe('a copied example', () => {
  it.each([
    ['new-service', '"note":"Issue 456 of project 27 was created"'],
    ['guard', '"status":"deny"'],
    ['many-events', '{"ok":true}'],
    ['legacy-service', '"ticket":"TICKET-456"'],
    ['observability', '{"ok":true}'],
    ['sla-alert', '"alerted":false'],
    ['ledger', 'Payment 1: 3000 cents for issue 456'],
    // `kiket-express dev` ends with 128 and the number of the signal.
    ['ports/inbound-email', '"status":"accepted"', 143],
    ['ports/time-tracking', '"issue_id":"456"', 143],
  ])('should respond to the delivery of its README, and end on SIGTERM: %s', async (name, reply, code = 0) => {
    copy = await Copy.of(name);
    await itAnswers(reply, code);
  });

  it('should respond to the delivery of its README, and end on SIGTERM: ports/chat-notifications', async () => {
    const slack = await startThirdParty(() => ({ body: { ok: true, ts: '1764064800.000100' } }));
    copy = await Copy.of('ports/chat-notifications', { SLACK_ORIGIN: slack.url });
    await itAnswers('"message_id":"1764064800.000100"');
  });

  it.each(['guard', 'ledger'])('should carry out its scenario: %s', async (name) => {
    copy = await Copy.of(name);
    expect(await copy.run('simulate')).toMatchObject({ code: 0 });
  });
});

describeWithPostgres('a copied example with PostgreSQL', () => {
  it('should respond to the delivery of its README, and end on SIGTERM: ledger', async () => {
    const postgres = await startPostgres();
    copy = await Copy.of('ledger', { DATABASE_URL: postgres.url });
    await itAnswers('Payment 1: 3000 cents for issue 456');
    expect(await postgres.query('SELECT cents FROM payments')).toEqual([{ cents: 3000 }]);
  });
});

describeWithRedis('a copied example with Redis', () => {
  it('should respond to the delivery of its README, and end on SIGTERM: cluster', async () => {
    const { url } = await startRedis();
    copy = await Copy.of('cluster', { REDIS_URL: url });
    await itAnswers('{"ok":true}');
  });
});

describe('the copied examples', () => {
  it('should compile with the types that they declare', async () => {
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'node16', '--target', 'es2022'];
    const outcomes = await Promise.all(
      roots.map(([root, group]) => {
        const sources = group.flatMap(({ name, files }) =>
          [...files.keys()].filter((file) => file.endsWith('.ts')).map((file) => `${name}/${file}`),
        );
        return run(root, 'npx', 'tsc', ...flags, '--types', 'node', ...sources);
      }),
    );
    expect(outcomes).toEqual(roots.map(() => ({ code: 0, output: '' })));
  });
});
