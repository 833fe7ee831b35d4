import { cpSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import type { Express as App } from 'express';
import { KIKET_ERRORS } from 'kiket-express';
import request, { type Response } from 'supertest';
import manifest from '../../../package.json';
import { captureOutput } from '../../support/capture-output';
import { deliver, example, secret } from '../../support/deliver';
import { runBlock, typeErrorsOf, type DocTest } from '../../support/doc-block';
import { signDelivery, type FakeKiket } from 'kiket-express/testing';
import { describeMajors, type Express } from '../../support/express';
import { startFake } from '../../support/fake-kiket';
import { createKey, mintToken, startKeyServer, type TokenKey } from '../../support/key-server';
import { blocksOf, sectionsOf, tableOf } from '../../support/markdown';
import { optionsOf } from '../../support/option-docs';
import { PARSE_OPTIONS } from '../../../lib/middleware/parse';
import { RAW_BODY_OPTIONS } from '../../../lib/middleware/raw-body';
import { RESPOND_OPTIONS } from '../../../lib/middleware/respond';
import { VERIFY_OPTIONS } from '../../../lib/middleware/verify';
import { TOKEN_OPTIONS } from '../../../lib/runtime-token/options';
import { describeWithRedisServer, startRedis, type RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';
import { API_OPTIONS } from '../../../lib/api/api-options';

const repository = resolve(__dirname, '../../..');
const readme = readFileSync(resolve(repository, 'README.md'), 'utf8');
const blocks = blocksOf(readme);
const sections = sectionsOf(readme, 2);
const sectionOf = (heading: string): string => sections.find((section) => section.heading === heading)!.text;

/** By heading; a second one under the same heading is `heading 2`. */
const snippets = new Map<string, string>();
for (const { heading, language, code } of blocks) {
  if (language === 'ts' || language === 'js') snippets.set(snippets.has(heading) ? `${heading} 2` : heading, code);
}

interface Running {
  readonly express: Express;
  readonly tests: readonly DocTest[];
  readonly exported: Readonly<Record<string, unknown>>;
}

/** The behaviour of each snippet, once it has run. */
const behaviours: Record<string, (app: App, running: Running) => Promise<unknown>> = {
  'One line': async (app, { express }) => {
    addExistingService(app, express);
    await deliver(app).expect(200, { existing: example.event });
    await deliver(app, example, unsigned).expect(401);
  },
  'Step by step': async (app) => {
    await deliver(app).expect(200, { event: example.event, issue: example.issue.id });
    expect(await codeOf(deliver(app, example, forged).expect(401))).toBe('signature.mismatch');
  },
  'The whole path': async (app) => {
    await deliver(app).expect(200, { ok: true, note: 'Project 27: 8 minutes overdue' });
    expect(await codeOf(deliver(app, { event: 'issue.created' }).expect(404))).toBe('event.unhandled');
  },
  'The whole path 2': async (app) => {
    const transition = (to: string) => ({ event: 'workflow.before_transition', transition: { to } });
    const path = '/guard';
    await deliver(app, transition('done'), { path }).expect(200, { status: 'deny', message: 'Not before the review' });
    await deliver(app, transition('review'), { path }).expect(200, { status: 'allow' });
  },
  'Many events': async (app) => {
    const send = (event: string, changes: object = {}, options = {}) => deliver(app, { event, ...changes }, options);
    await send('workflow.before_transition', { transition: { to: 'done' } }).expect(200, {
      status: 'deny',
      message: 'Not before the review',
    });
    await send('issue.created', { event_version: '2', issue: { id: 7 } }).expect(200, { created: 7 });
    await send('issue.assigned', {}, { path: '/v/1/webhooks/issue.assigned' }).expect(200, {
      changed: 'issue.assigned',
    });
    expect(await codeOf(send('issue.created').expect(403))).toBe('scope.missing');
    const authentication = { scopes: ['issues.read'] };
    await send('issue.created', { authentication }).expect(200, { seen: 'issue.created' });
    await send('comment.created').expect(200, '');
  },
  Envelopes: async (app) => {
    const newer = {
      id: 'evt_1',
      type: 'issue.transitioned',
      organizationId: 'org_7',
      projectKey: 'OPS',
      data: { to: 'done' },
    };
    await deliver(app, newer).expect(200, {
      to: 'done',
      deliveryId: 'evt_1',
      organizationId: 'org_7',
      projectKey: 'OPS',
    });
    const ofContract = { event: 'issue.transitioned', organization_id: 7, transition: { to: 'done' } };
    await deliver(app, ofContract).expect(200, { to: 'done', organizationId: 7 });
  },
  'The manifest': async (app) => {
    await captureOutput(async () => {
      await deliver(app, { event: 'case.created' }).expect(200, { attempts: 3 });
      await deliver(app, { event: 'workflow.before_transition' }).expect(200, { status: 'allow' });
      await deliver(app, { event: 'case.created' }, forged).expect(401);
    });
  },
  'Body sources': async (app, { express }) => {
    addExistingService(app, express);
    const large = { ...example, context: { padding: 'x'.repeat(450_000) } };
    await deliver(app, large).expect(200, { existing: example.event });
    await deliver(app, large, forged).expect(401);
  },
  'Responses and retries': async (app) => {
    const shown = blocks.find(({ language, heading }) => language === 'json' && heading === 'Responses and retries')!;
    const thrown = await captureOutput(async () => {
      await deliver(app, { event: 'issue.created' }).expect(422, JSON.parse(shown.code) as object);
      await deliver(app, { event: 'issue.created', issue: { title: 'Leak' } })
        .expect(503)
        .expect('Retry-After', '30');
    });
    expect(thrown).toMatch(/NonRetryableError: No title[^]*RetryableError: The CRM is busy/);
  },
  'Once, on every replica': async (app) => {
    const delivery = { event: 'issue.created', issue: { id: 7 } };
    const send = (authentication: object, invocationId: string) =>
      deliver(app, { ...delivery, authentication }, { invocationId });
    await send({ runtime_token: 'token_of_one' }, 'one').expect(200, { charged: 1 });
    // A response leaves before Redis has it. Until then a retry is asked to come again, as Kiket does.
    let again!: Response;
    await until(async () => {
      again = await send({ runtime_token: 'a_fresh_token' }, 'one');
      return again.status !== 503;
    }, 'the response to be stored');
    expect([again.status, again.headers['kiket-replayed'], again.body]).toEqual([200, 'true', { charged: 1 }]);
    await send({ runtime_token: 'token_of_two' }, 'two').expect(200, { charged: 2 });
    process.emit('SIGTERM');
  },
  'Long work': async (app) => {
    const { id } = fake.addIssue({ project_id: 27 });
    await deliver(app, { event: 'issue.created', issue: { id, project_id: 27 } }).expect(202, { accepted: true });
    await until(() => fake.requests.length === 1);
    expect(fake.requests).toMatchObject([{ status: 201, body: { comment: { body: 'Seen' } } }]);
    process.emit('SIGTERM');
  },
  'Calling back': async (app) => {
    fake.addRecord('com.acme.crm.contacts', 'records', { email: 'a@example.com', status: 'active' }, { projectId: 27 });
    const { id } = fake.addIssue({ project_id: 27 });
    const payload = { event: 'issue.created', issue: { id, project_id: 27 } };
    await deliver(app, { ...payload, ...fake.callback() }).expect(200, { ok: true, callsLeft: 598 });
    expect(fake.requests.at(-1)).toMatchObject({ status: 201, body: { comment: { body: 'Ask a@example.com' } } });
    expect(await codeOf(deliver(app, payload).expect(500))).toBe('api.not_configured');
  },
  Options: async (app, { express }) => {
    addExistingService(app, express, '/hooks/acme');
    const path = '/hooks/acme';
    await deliver(app, example, { path }).expect(200);
    await deliver(app, example, { path, secret: 'whsec_previous' }).expect(200);
    await deliver(app, example, { path, ...forged }).expect(401);
    await deliver(app, example, { path: '/hooks/nobody' }).expect(401);
  },
  Secrets: async (app) => {
    const delivery = { event: 'a.b', secrets: { CRM_TOKEN: 'canary_of_a_secret' } };
    const authentication = { scopes: ['issues.read'], runtime_token: 'canary_of_a_token' };
    const output = await captureOutput(() =>
      deliver(app, { ...delivery, authentication }).expect(200, { ok: true, region: 'eu', tokenLength: 18 }),
    );
    expect(output).toMatch(/CRM_TOKEN/);
    expect(output).not.toMatch(/canary/);
    expect(await codeOf(deliver(app, delivery).expect(403))).toBe('scope.missing');
    expect(await codeOf(deliver(app, { event: 'a.b', authentication }).expect(422))).toBe('secret.missing');
  },
  'Runtime tokens': async (app) => {
    const claims = {
      iss: 'kiket.dev',
      exp: 4_102_444_800,
      org_id: 3,
      proj_id: 27,
      jti: 'one',
      scopes: ['issues.read'],
    };
    const payload = (key: TokenKey) => ({ ...example, authentication: { runtime_token: mintToken(key, claims) } });
    const verified = { organization: 3, token: 'one', scopes: ['issues.read'] };
    await deliver(app, payload(platformKey)).expect(200, verified);
    expect(await codeOf(deliver(app, payload(createKey('platform'))).expect(401))).toBe('token.invalid');
    expect(await codeOf(deliver(app, payload(platformKey), forged).expect(401))).toBe('signature.mismatch');
  },
  Observability: async (app) => {
    await deliver(app, { event: 'issue.created' }).expect(200, { ok: true });
    await deliver(app, example).expect(404);
    const health = await request(app).get('/health').expect(200);
    expect(health.body).toMatchObject({
      version: manifest.version,
      deliveries: { success: 1, final: 1, retryable: 0 },
    });
    process.emit('SIGTERM');
    await until(() => fake.telemetry.length === 2);
    expect(fake.telemetry).toMatchObject([{ event: 'issue.created', status: 'ok' }, { status: 'error' }]);
  },
  "Handlers of the platform's SDK": async (app) => {
    const send = (path: string, payload: object) => deliver(app, payload, { path });
    const created = { event: 'issue.created', authentication: { scopes: ['issues.read'] } };
    const response = { keys: Object.keys(created), event: 'issue.created' };
    await send('/webhooks/issue.created', created).expect(200, response);
    await send('/v/1/webhooks/issue.created', created).expect(200, response);
    expect(await codeOf(send('/webhooks/issue.created', { event: 'issue.created' }).expect(403))).toBe('scope.missing');
  },
  'Verify without Express': async (_app, { exported }) => {
    const route = exported['POST'] as (request: Request) => Promise<InstanceType<typeof globalThis.Response>>;
    const send = (signedBy: string) => {
      const { headers, body } = signDelivery(example, { secret: signedBy });
      return route(new Request('https://service.example/kiket', { method: 'POST', headers, body: body }));
    };
    expect(await (await send(secret)).json()).toEqual({ received: example.event });
    const refused = await send('whsec_of_another');
    expect([refused.status, await refused.json()]).toEqual([
      401,
      { error: { code: 'signature.mismatch', message: expect.any(String) as string } },
    ]);
  },
  'Trying it without risk': async (app, { express }) => {
    addExistingService(app, express);
    const output = await captureOutput(async () => {
      await deliver(app).expect(200, { existing: example.event });
      await deliver(app, example, unsigned).expect(200, { existing: example.event });
    });
    expect(output.trim()).toBe('/kiket would be refused: signature.missing');
  },
  Testing: async (app, { tests }) => {
    runBlock(snippets.get('Step by step')!, app, secret, undefined as never);
    expect(tests.map(({ name }) => name)).toEqual(['should take a delivery']);
    for (const { run } of tests) await run();
  },
  'Testing 2': async (_app, { tests }) => {
    expect(tests.map(({ name }) => name)).toEqual(['should be delivered again when Kiket is down']);
    for (const { run } of tests) await run();
  },
};

const platformKey = createKey('platform');
let fake: FakeKiket;
beforeEach(async () => {
  fake = await startFake();
  process.env.KIKET_BASE_URL = fake.url;
  process.env.KIKET_JWKS_URL = (await startKeyServer(platformKey)).url;
  process.env.PORT = '0';
});
afterEach(() => {
  jest.restoreAllMocks();
  for (const name of ['KIKET_BASE_URL', 'KIKET_JWKS_URL', 'KIKET_API_KEY', 'KIKET_WEBHOOK_SECRET', 'PORT'])
    delete process.env[name];
});

/** Makes the directory of an extension the current one, as far as this process asks for it. */
function enterExtension(): void {
  const directory = mkdtempSync(resolve(tmpdir(), 'kiket-readme-'));
  const manifests = resolve(repository, '__tests__/fixtures/manifests');
  cpSync(resolve(manifests, 'm3-case-slack.yaml'), resolve(directory, '.kiket/manifest.yaml'));
  jest.spyOn(process, 'cwd').mockReturnValue(directory);
  process.env.KIKET_WEBHOOK_SECRET = secret;
}

const forged = { secret: 'whsec_of_another' };
const unsigned = { headers: { 'X-Kiket-Signature': undefined } };

function addExistingService(app: App, express: Express, path = '/kiket'): void {
  app.use(express.json({ limit: '1mb' }));
  app.post(path, (req, res) => void res.json({ existing: (req.body as { event: string }).event }));
}

async function codeOf(test: ReturnType<typeof deliver>): Promise<unknown> {
  return ((await test).body as { error: { code: string } }).error.code;
}

const withRedis = [...snippets].filter(([, code]) => code.includes('REDIS_URL'));
const withoutRedis = [...snippets].filter(([, code]) => !code.includes('REDIS_URL'));

describeMajors('a snippet of the README', (express) => {
  it.each(withoutRedis)('should behave as documented: %s', check);

  describeWithRedisServer('with Redis', () => {
    const { REDIS_URL } = process.env;
    let redis: RedisServer;
    beforeEach(async () => {
      redis = await startRedis();
      process.env.REDIS_URL = redis.url;
    });
    afterEach(async () => {
      process.env.REDIS_URL = REDIS_URL;
      // On SIGTERM the snippet closes all connections that it opened. Only the asking connection is left.
      for (let clients = ''; clients.split('\n').length !== 2;) clients = String(await redis.send('CLIENT', 'LIST'));
    });

    it.each(withRedis)('should behave as documented: %s', check);
  });

  async function check(name: string, code: string): Promise<void> {
    const app = express();
    app.set('env', 'test');
    // Only for this block. Elsewhere a key would be used unintentionally.
    if (code.includes('KIKET_API_KEY!')) process.env.KIKET_API_KEY = 'ext_fake';
    if (code.includes('loadManifest()')) enterExtension();
    const exported = {};
    const tests = runBlock(code, app, secret, express, { exports: exported });
    await behaviours[name]!(app, { express, tests, exported });
  }
});

describe('the README', () => {
  it('should have all its snippets tested', () => {
    expect([...snippets.keys()]).toEqual(Object.keys(behaviours));
  });

  it('should have snippets that compile', () => {
    expect(typeErrorsOf([...snippets.values()], resolve(repository, 'tsconfig.json'))).toEqual([]);
  }, 300_000);

  it('should first name the commands for the demo and for the tests', () => {
    const commands = blocks.filter(({ language }) => language === 'sh').map(({ code }) => code.trim());
    expect(commands.slice(0, 2)).toEqual(['npm ci && npm run demo', 'npm ci && npm test']);
  });

  it('should fit the first screen before the first snippet', () => {
    expect(readme.slice(0, readme.indexOf('```ts')).split('\n').length).toBeLessThanOrEqual(40);
  });

  it.each([
    ['kiketRawBody', /^body\./],
    ['kiketVerify', /^signature\./],
    ['kiketParse', /^(?:payload\.|delivery\.conflict)/],
    ['kiketRespond', /^deadline\./],
  ])('should name the statuses with which %s refuses', (name, codes) => {
    const row = tableOf(sectionOf('Step by step')).find(([middleware]) => middleware!.startsWith(name))!;
    const statuses = Object.entries(KIKET_ERRORS).flatMap(([code, status]) => (codes.test(code) ? [status] : []));
    expect((row[2]!.match(/\d{3}/g) ?? []).sort()).toEqual([...new Set(statuses)].map(String).sort());
  });

  // An interface that extends another has the options of both.
  it.each<[middleware: string, ...sources: [file: string, interfaceName: string][]]>([
    ['kiketRawBody', ['raw-body', 'KiketRawBodyOptions']],
    ['kiketVerify', ['verify', 'KiketVerifyOptions']],
    ['kiketParse', ['parse', 'KiketParseOptions']],
    ['kiketIdempotency', ['idempotency', 'KiketIdempotencyOptions']],
    ['KiketMemoryStore', ['../idempotency/memory-store', 'KiketMemoryStoreOptions']],
    ['KiketRedisStore', ['../idempotency/redis-store', 'KiketRedisStoreOptions']],
    ['KiketPostgresStore', ['../postgres/postgres-store', 'KiketPostgresStoreOptions']],
    ['kiketTransaction', ['../postgres/kiket-transaction', 'KiketTransactionOptions']],
    ['kiketWorker', ['../bullmq/worker-options', 'KiketWorkerOptions'], ['../queue/worker-options', 'KiketJobOptions']],
    ['kiketWorker** of pg-boss', ['../pg-boss/worker', 'KiketWorkerOptions']],
    ['kiketShutdown', ['../shutdown/kiket-shutdown', 'KiketShutdownOptions']],
    ['kiketRespond', ['respond', 'KiketRespondOptions']],
    ['kiketErrorHandler', ['error-handler', 'KiketErrorHandlerOptions']],
    ['kiketEvents', ['events', 'KiketEventsOptions']],
    ['kiketEvents().on', ['events', 'KiketOnOptions']],
    ['kiketRuntimeToken', ['../runtime-token/options', 'TokenOptions'], ['runtime-token', 'KiketRuntimeTokenOptions']],
    ['kiketTelemetry', ['../telemetry/telemetry-options', 'KiketTelemetryOptions']],
    ['api', ['../api/api-options', 'KiketApiOptions']],
  ])('should list the options of %s with their defaults', (middleware, ...sources) => {
    const rows = tableOf(sectionOf('Options'));
    const start = rows.findIndex(([name]) => name === `**${middleware}` || name === `**${middleware}**`) + 1;
    const length = rows.slice(start).findIndex(([name]) => name!.startsWith('**'));
    const listed = rows.slice(start, length === -1 ? undefined : start + length);
    const documented = sources.flatMap(([file, interfaceName]) =>
      optionsOf(resolve(repository, 'lib/middleware', `${file}.ts`), interfaceName),
    );
    expect(listed.map(([name]) => name)).toEqual(documented.map(({ name }) => name));
    for (const [i, { defaultValue }] of documented.entries()) {
      if (defaultValue !== undefined) expect(listed[i]![1]).toBe(defaultValue);
    }
  });

  it.each<[file: string, interfaceName: string, table: Readonly<Record<string, { readonly default: unknown }>>]>([
    ['middleware/raw-body', 'KiketRawBodyOptions', RAW_BODY_OPTIONS],
    ['middleware/verify', 'KiketVerifyOptions', VERIFY_OPTIONS],
    ['middleware/parse', 'KiketParseOptions', PARSE_OPTIONS],
    ['middleware/respond', 'KiketRespondOptions', RESPOND_OPTIONS],
    ['api/api-options', 'KiketApiOptions', API_OPTIONS],
    ['runtime-token/options', 'TokenOptions', TOKEN_OPTIONS],
  ])('should have the defaults of the code in the doc comments of %s', (file, interfaceName, table) => {
    for (const { name, defaultValue } of optionsOf(resolve(repository, `lib/${file}.ts`), interfaceName)) {
      const { default: value } = table[name]!;
      if (typeof value !== 'number' && typeof value !== 'string' && typeof value !== 'boolean') continue;
      expect(defaultValue?.replaceAll("'", '')).toBe(String(value));
    }
  });

  it.each(['README.md', 'CONTRIBUTING.md'])('should name scripts that exist: %s', (file) => {
    const text = readFileSync(resolve(repository, file), 'utf8');
    const scripts = [...text.matchAll(/npm (?:run (?=\S)|(?=test))([\w:-]+)/g)].map((match) => match[1]!);
    expect(scripts.filter((script) => !(script in manifest.scripts))).toEqual([]);
  });
});

describe('the versions', () => {
  it('should be those of the changelog, the manifest and the README', () => {
    const changelog = readFileSync(resolve(repository, 'CHANGELOG.md'), 'utf8');
    expect(/^## \[(.+?)\] - \d{4}-\d\d-\d\d$/m.exec(changelog)?.[1]).toBe(manifest.version);
    expect(readme).toContain(`Node ${manifest.engines.node.slice(2)} or later`);
  });
});
