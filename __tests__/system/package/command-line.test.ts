import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { blocksOf, type Block } from '../../support/markdown';
import { ShellPage, type ShellRun } from '../../support/shell-page';
import { manifest, PATIENCE_MS, repository, run, Workbench } from './workbench';

const workbench = new Workbench();
const folder = workbench.path('service');

beforeAll(async () => {
  await workbench.pack();
  await workbench.install('service', { express: '^5.0.0' });
}, PATIENCE_MS);

afterAll(() => workbench.dispose());

const blocks = (file: string): Block[] => blocksOf(readFileSync(resolve(repository, file), 'utf8'));

const guide = blocks('docs/guides/local-development.md');
const secret = /KIKET_WEBHOOK_SECRET=(\S+)/.exec(guide.map(({ code }) => code).join(''))![1]!;
const openPage = () => ShellPage.open(folder, { KIKET_WEBHOOK_SECRET: secret }, [3000, 4538, 4540]);

async function openPageWithService(): Promise<ShellPage> {
  const page = await openPage();
  for (const block of guide.filter(({ heading }) => heading === 'Start a service')) await follow(block, page);
  return page;
}

describe('the installed command', () => {
  const npx = (...args: string[]) => run(folder, 'npx', '--no-install', 'kiket-express', ...args);

  it('should say its version', async () => {
    expect(await npx('--version')).toEqual({ code: 0, output: `${manifest.version}\n` });
  });

  it('should list the events', async () => {
    const { code, output } = await npx('events');
    expect([code, output]).toEqual([0, expect.stringContaining('workflow.before_transition  (guard)\n')]);
  });

  it('should say what it would send', async () => {
    const { code, output } = await npx('send', '--dry-run', '--to', 'localhost:3000/kiket', '--secret', secret);
    expect([code, output]).toEqual([0, expect.stringContaining('would send POST http://localhost:3000/kiket')]);
  });

  it('should carry out the demo, with the Express of the project', async () => {
    const { code, output } = await npx('simulate', '--demo');
    expect([code, output]).toEqual([0, expect.stringContaining('\n20 of 20 rows are as they must be.\n')]);
  });

  it('should load commander once it is called, and no package of the receiver', async () => {
    const script =
      "process.on('exit', () => console.log(Object.keys(require.cache).flatMap((file) => /node_modules.(?!kiket)([^\\\\/]+)/.exec(file)?.[1] ?? [])));" +
      "process.argv.splice(1, 0, ''); process.argv[2] = '--version';" +
      "require('./node_modules/kiket-express/dist/cli/index.js')";
    const { output } = await run(folder, process.execPath, '-e', script, 'x');
    expect(output).toContain('commander');
    expect(output).not.toMatch(/express|undici|ajv/);
  });
});

describe('the commands of docs/guides/local-development.md', () => {
  let page: ShellPage;
  beforeAll(async () => (page = await openPage()));
  afterAll(() => page.close());

  itShouldDoAsShown(guide, () => page);
});

describe('the commands of docs/guides/record-and-replay.md', () => {
  let page: ShellPage;
  beforeAll(async () => {
    rmSync(join(folder, '.kiket'), { recursive: true });
    page = await openPageWithService();
  }, PATIENCE_MS);
  afterAll(() => page.close());

  const [record, ...others] = blocks('docs/guides/record-and-replay.md').filter(({ language }) => language === 'sh');
  itShouldDoAsShown([record!], () => page);
  it('should record a delivery', async () => {
    const code = 'npx kiket-express send issue.created --to http://localhost:4540/kiket';
    expect(await page.run({ ...record!, code })).toMatchObject({ code: 0 });
  });
  itShouldDoAsShown(others, () => page);
});

describe('the commands of docs/guides/scenarios.md', () => {
  const scenarios = blocks('docs/guides/scenarios.md');
  let page: ShellPage;
  beforeAll(async () => (page = await openPage()));
  afterAll(() => page.close());

  itShouldDoAsShown(scenarios, () => page);

  it('should find nothing in an extension that is idempotent', async () => {
    const extension = scenarios.find(({ mark }) => mark === 'extension.mjs')!;
    const code = extension.code
      .replace('baseUrl } }), events', 'baseUrl } }), kiketIdempotency(new KiketMemoryStore()), events')
      .replace('kiketEvents }', 'kiketEvents, kiketIdempotency, KiketMemoryStore }');
    page.save({ ...extension, code });
    const command = scenarios.find(({ language }) => language === 'sh')!;
    expect(await page.run(command)).toMatchObject({ code: 0 });
  });
});

describe('the commands of docs/guides/local-kiket.md', () => {
  let page: ShellPage;
  beforeAll(async () => {
    rmSync(join(folder, '.kiket'), { recursive: true, force: true });
    page = await openPageWithService();
  }, PATIENCE_MS);
  afterAll(() => page.close());

  itShouldDoAsShown(blocks('docs/guides/local-kiket.md'), () => page);
});

/** The pages that a newcomer reads first: they begin in an empty folder. */
describe.each(['README.md', 'docs/getting-started.md'])('the commands of %s', (file) => {
  const shown = blocks(file).filter(({ heading }) => heading !== 'Contributing, security, licence');
  let page: ShellPage;
  beforeAll(async () => {
    const empty = workbench.path(`following ${basename(file)}`);
    mkdirSync(empty);
    page = await ShellPage.open(empty, { KIKET_WEBHOOK_SECRET: secret }, [3000, 4538], workbench.tarball);
  });
  afterAll(() => page.close());

  itShouldDoAsShown(shown, () => page);
});

/** Tests the blocks in their order. A block without a language is the output of the one before it. */
function itShouldDoAsShown(given: readonly Block[], page: () => ShellPage): void {
  const runnable = given.filter(({ language, mark }) => language === 'sh' || mark !== '');
  it.each(runnable.map((block) => [block.heading, block.code.trim().split('\n')[0]!, block] as const))(
    'should do as shown under %s: %s',
    async (_heading, _line, block) => {
      const ended = await follow(block, page());
      if (ended === undefined) return;
      const next = given[given.indexOf(block) + 1];
      const shown = next?.language === '' ? stable(next.code) : (expect.any(String) as string);
      expect({ code: ended.code, output: stable(ended.output) }).toEqual({
        code: Number(block.mark.replace('exit ', '')),
        output: shown,
      });
    },
    PATIENCE_MS,
  );
}

/** Does with a block what a reader does. Resolves to what it has written, if it is a command that ends. */
async function follow(block: Block, page: ShellPage): Promise<ShellRun | undefined> {
  if (block.language !== 'sh') page.save(block);
  else if (block.mark.startsWith('background')) await page.start(block);
  else return page.run(block);
  return undefined;
}

/** Replaces what differs from run to run. */
function stable(output: string): string {
  return (
    output
      .replaceAll(/in \d+ ms/g, 'in 1 ms')
      // Forms of a body that are equal are tried once, and whether they are equal depends on the random values in it.
      .replaceAll(/\d+ combinations tried/g, '1 combination tried')
      // The last column of the table of a scenario.
      .replaceAll(/ {2,}(?:ms|─+|\d+)$/gm, '')
      .replaceAll(/invocation [\da-f]{8}/g, 'invocation 00000000')
      .replaceAll(/"invocation":"[\da-f-]{36}"/g, '"invocation":"…"')
      .trimEnd()
  );
}
