import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entries, node, PATIENCE_MS, repository, Workbench, writeJson } from './workbench';

const workbench = new Workbench();

/** Ways to resolve a module, with the format of the consumer's own files. */
const resolutions = {
  node10: { module: 'commonjs', moduleResolution: 'node10', type: 'commonjs' },
  'node16-commonjs': { module: 'node16', moduleResolution: 'node16', type: 'commonjs' },
  'node16-esm': { module: 'node16', moduleResolution: 'node16', type: 'module' },
  'nodenext-commonjs': { module: 'nodenext', moduleResolution: 'nodenext', type: 'commonjs' },
  'nodenext-esm': { module: 'nodenext', moduleResolution: 'nodenext', type: 'module' },
  bundler: { module: 'preserve', moduleResolution: 'bundler', type: 'module' },
} as const;
type Resolution = keyof typeof resolutions;
const all = Object.keys(resolutions) as Resolution[];

/**
 * The versions that users have installed. TypeScript 6 deprecates node10, and 7 has removed it. Between the oldest
 * and the newest one of each kind is enough.
 */
const versions: { typescript: string; resolutions: Resolution[]; options: object }[] = [
  { typescript: '5.9', resolutions: all, options: {} },
  { typescript: '6.0', resolutions: ['node10', 'nodenext-esm', 'bundler'], options: { ignoreDeprecations: '6.0' } },
  { typescript: '7.0', resolutions: all.filter((name) => name !== 'node10'), options: {} },
];
const majors = [
  { major: 4, express: '^4.18.0', types: '^4.17.21' },
  { major: 5, express: '^5.0.0', types: '^5.0.0' },
];

/** One use of each entry, alone in its program, without other sources of the types of `req.kiket` and `res.kiket`. */
const uses: Record<string, string> = {
  'raw-body': "app.use(express.json({ verify: captureRawBody })); app.post('/', kiketRawBody({ limit: '2mb' }));",
  verify: "app.use('/kiket', kiketVerify('secret', { onRefused: (error) => void error.code }));",
  parse: "app.use(kiketParse({ payloadSchemas: { 'issue.created': { type: 'object' } } }));",
  idempotency: "app.post('/', kiketIdempotency(new KiketMemoryStore({ maxEntries: 10 }), { ttlSeconds: 60 }));",
  respond: 'app.use(kiketRespond({ onCompleted: ({ outcome }) => void outcome }));',
  handler: "app.post('/', kiketHandler('issue.created', ({ payload }) => ({ id: payload.issue?.id })));",
  events: "app.post('/', kiketEvents().on('issue.created', ({ payload }) => ({ id: payload.issue?.id })));",
  'runtime-token': "app.use(kiketRuntimeToken({ issuer: 'kiket.dev', jwksUrl: 'https://kiket.dev/keys' }));",
  sdk: "app.post('/', sdkRouter().register('issue.created', (payload) => ({ id: payload['id'] }), 'v1'));",
  opentelemetry: 'app.use(kiketOpenTelemetry());',
  'error-handler': 'app.use(kiketErrorHandler({ onError: (error) => void error }));',
  delivery: "app.post('/', (req) => void kiketDelivery(req, 'issue.created').secrets.require('TOKEN'));",
};
/** Programs without the types of a request. */
const usesWithoutRequest: Record<string, string> = {
  api: "export const limit: Promise<{ remaining: number }> = createKiketApi({ apiKey: 'ext_1' }).rateLimit();",
  health: 'export const route: (req: never, res: never) => void = kiketHealth();',
  telemetry: "export const sent: number = kiketTelemetry({ apiKey: 'ext_1' }).sent;",
  redis: 'export const store = new KiketRedisStore({ sendCommand: ([name], key) => Promise.resolve(name + key) });',
  postgres:
    'export const migrated: Promise<void> = new KiketPostgresStore({ query: (text, [first]) => Promise.resolve([text, first]) }).migrate();',
  'pg-boss':
    "export const enqueue: (delivery: never) => Promise<{ accepted: true }> = kiketEnqueue({} as never, 'kiket');",
  bullmq:
    "export const worker: { close(): Promise<void> } = kiketWorker('jobs', (job) => job.event, { connection: {} });",
  manifest: 'export const guards: boolean[] = loadManifest().hooks.map(({ isGuard }) => isGuard);',
  shutdown: 'export const down: Promise<{ released: number }> = kiketShutdown({} as never);',
  simulator:
    "export const delivery: Promise<{ id: string }> = startSimulator({ url: 'http://localhost' }).then((kiket) => kiket.deliveries.send({}));",
  signature:
    "export const at: number | undefined = verifySignature({ headers: {}, body: '', secret: 's' }).timestampSeconds;",
  errors: "export const status: number = (new RetryableError('Later') satisfies KiketError).status;",
  testing:
    "export const sent: Promise<{ status: number }> = deliver('http://localhost', () => signDelivery({}, { secret: 's' }));",
};

const READS_REQUEST = `
app.post('/:tenant', (req, res) => {
  const tenant: string = req.params.tenant;
  const verified: boolean | undefined = req.kiket?.verified;
  // @ts-expect-error it is typed
  const wrong: number = req.kiket?.event;
  res.kiket.ok({ tenant, verified, wrong });
});
`;

function sourceAlone(entry: string): string {
  const use = uses[entry] ?? usesWithoutRequest[entry]!;
  const names = [
    ...new Set(
      use.match(
        /\b(?:kiket[A-Z]\w+|sdkRouter|createKiketApi|loadManifest|captureRawBody|signDelivery|deliver|startSimulator|verifySignature|RetryableError|KiketError|KiketMemoryStore|KiketPostgresStore|KiketRedisStore)\b/g,
      ),
    ),
  ];
  const imports = `import { ${names.join(', ')} } from 'kiket-express/${entry}';\n`;
  if (entry in usesWithoutRequest) return imports + use;
  return `import express from 'express';\n${imports}const app = express();\n${use}\n${READS_REQUEST}`;
}

beforeAll(async () => {
  await workbench.install(
    'compilers',
    Object.fromEntries(versions.map(({ typescript }) => [typescript, `npm:typescript@~${typescript}`])),
  );
  await workbench.pack();
  for (const { major, express, types } of majors) {
    await workbench.install(`express${major}`, { express, '@types/express': types });
  }
}, PATIENCE_MS);

afterAll(() => workbench.dispose());

describe('the tests of the types', () => {
  it('should use each entry alone', () => {
    expect([...Object.keys(uses), ...Object.keys(usesWithoutRequest)].sort()).toEqual([...entries].sort());
  });

  it('should find no node10 resolution in TypeScript 7', async () => {
    const project = makeProject('express5', '7.0', 'node10', 'removed', {}, () => ['index.ts']);
    writeFileSync(join(project, 'index.ts'), "import 'kiket-express';");
    const { output } = await compile('7.0', project);
    expect(output).toMatch(/moduleResolution=node10.* has been removed/);
  });
});

describe.each(majors)('with @types/express $major', ({ major }) => {
  describe.each(versions)('and TypeScript $typescript', ({ typescript, resolutions, options }) => {
    const whole = resolutions.map((resolution) => ({ resolution, program: 'usage' }));
    // The oldest with the oldest, the newest with the newest. The whole programs cover the other pairs.
    const isOldest = major === 4 && typescript === versions[0]!.typescript;
    const isNewest = major === 5 && typescript === versions.at(-1)!.typescript;
    const alone = resolutions
      .filter((resolution) => (isOldest && resolution === 'node10') || (isNewest && resolution === 'nodenext-commonjs'))
      .flatMap((resolution) => entries.map((entry) => ({ resolution, program: entry })))
      // Entries without a request type do not depend on Express. The newest compiler is fast and checks all of them.
      .filter(({ program }) => isNewest || program in uses);
    const programs = [...whole, ...alone];
    let output: string;

    // In one process, because the compiler takes longer to start than to check any of these.
    beforeAll(async () => {
      const projects = programs.map(({ resolution, program }) =>
        makeProject(`express${major}`, typescript, resolution, program, options, (directory) => {
          if (program === 'usage') return wholeProgram(directory);
          writeFileSync(join(directory, `${program}.ts`), sourceAlone(program));
          return [`${program}.ts`];
        }),
      );
      ({ output } = await compile(typescript, ...projects));
    }, PATIENCE_MS);

    it.each(whole)('should compile the users’ code and conform to the agreed surface: $resolution', (row) => {
      expect(errorsOf(row)).toEqual([]);
    });

    if (alone.length > 0)
      it.each(alone)('should compile kiket-express/$program alone: $resolution', (row) => {
        expect(errorsOf(row)).toEqual([]);
      });

    it('should print nothing else', () => {
      const found = programs.flatMap(errorsOf);
      expect(linesOf(output).filter((line) => / error TS/.test(line) && !found.includes(line))).toEqual([]);
    });

    function errorsOf({ resolution, program }: (typeof programs)[number]): string[] {
      const project = `${typescript}-${resolution}-${program}`;
      const from = linesOf(output).findIndex((line) => line.includes('Building project') && line.includes(project));
      if (from === -1) throw new Error(`${project} was not compiled:\n${output}`);
      const lines = linesOf(output).slice(from + 1);
      const to = lines.findIndex((line) => / Project '|Building project/.test(line));
      return lines.slice(0, to === -1 ? undefined : to).filter((line) => line !== '');
    }
  });
});

const linesOf = (text: string): string[] => text.split('\n').map((line) => line.trim());

function compile(typescript: string, ...projects: string[]) {
  const tsc = workbench.path('compilers/node_modules', typescript, 'bin/tsc');
  return node(workbench.directory, tsc, '--build', '--verbose', '--pretty', 'false', ...projects);
}

function wholeProgram(directory: string): string[] {
  cpSync(join(repository, '__tests__/types/usage.ts'), join(directory, 'usage.ts'));
  cpSync(join(__dirname, 'consumers/typescript'), directory, { recursive: true });
  return ['usage.ts', 'conformance.ts', 'agreed.d.ts'];
}

/** A strict project of one program, under a directory where packages are installed. */
function makeProject(
  installed: string,
  typescript: string,
  resolution: Resolution,
  program: string,
  options: object,
  write: (directory: string) => string[],
): string {
  const directory = workbench.path(installed, `${typescript}-${resolution}-${program}`);
  mkdirSync(directory);
  const { module, moduleResolution, type } = resolutions[resolution];
  writeJson(join(directory, 'package.json'), { private: true, type });
  writeJson(join(directory, 'tsconfig.json'), {
    compilerOptions: {
      // Without `types`, all are included up to TypeScript 5.9 and none from 6 on.
      ...{ target: 'es2022', lib: ['es2023'], module, moduleResolution },
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false },
      ...{ esModuleInterop: true, noEmit: true, ...options },
    },
    files: write(directory),
  });
  return directory;
}
