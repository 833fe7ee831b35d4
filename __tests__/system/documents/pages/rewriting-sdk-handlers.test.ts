import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Express as App } from 'express';
import { kiket, kiketErrorHandler, kiketEvents, type KiketErrorCode } from 'kiket-express';
import type { FakeKiket } from 'kiket-express/testing';
import type { KiketTelemetryReporter } from 'kiket-express/telemetry';
import request, { type Test } from 'supertest';
import { deliver, secret, type DeliverOptions } from '../../../support/deliver';
import { runBlock } from '../../../support/doc-block';
import { codeOf, replacing, snippetsOf } from '../../../support/doc-page';
import { describeMajors, type Express } from '../../../support/express';
import { startFake } from '../../../support/fake-kiket';
import { createKey, mintToken, startKeyServer } from '../../../support/key-server';
import { blocksOf, sectionsOf, tableOf } from '../../../support/markdown';

const repository = resolve(__dirname, '../../../..');
const guide = readFileSync(resolve(repository, 'docs/rewriting-sdk-handlers.md'), 'utf8');
const snippets = snippetsOf(guide);

/** An application after a block has run. */
function start(express: Express, name: string, change = (code: string): string => code, exports: object = {}): App {
  const app = express();
  app.set('env', 'test');
  runBlock(change(snippets.get(name)!), app, secret, express, { exports });
  return app;
}

let fake: FakeKiket;
let issueId: number | string;
beforeEach(async () => {
  fake = await startFake();
  fake.addRecord('com.acme.crm', 'contacts', { email: 'a@example.com' }, { projectId: 27 });
  issueId = fake.addIssue({ project_id: 27 }).id;
  Object.assign(process.env, { KIKET_BASE_URL: fake.url, KIKET_EXTENSION_API_KEY: 'ext_fake' });
});
afterEach(() => {
  delete process.env.KIKET_BASE_URL;
  delete process.env.KIKET_EXTENSION_API_KEY;
});

const issueCreated = (changes: object = {}): object => ({
  event: 'issue.created',
  event_version: 'v1',
  issue: { id: 7, project_id: 27 },
  secrets: { CRM_REGION: 'eu' },
  ...fake.callback(),
  ...changes,
});

/** The behaviour of each block, in addition to the table. Its application is that of the extension after. */
const behaviours: Record<string, (app: App, express: Express) => Promise<unknown>> = {
  'The extension after': async (app) => {
    await deliver(app, issueCreated(), { path: '/v/1/webhooks/issue.created' }).expect(200, {
      ok: true,
      region: 'eu',
      email: 'a@example.com',
    });
    const updated = { ...issueCreated(), event: 'issue.updated', issue: { id: issueId, project_id: 27 } };
    const response = await deliver(app, updated, { path: '/webhooks/issue.updated' }).expect(200);
    expect(response.body).toMatchObject({ ok: true, issue: {} });
    const forged = { path: '/webhooks/issue.created', secret: 'whsec_of_another' };
    expect(codeOf(await deliver(app, issueCreated(), forged).expect(401))).toBe('signature.mismatch');
    const health = await request(app).get('/health').expect(200);
    expect(health.body).toMatchObject({ status: 'ok', events: [{ event: 'issue.created', version: 'v1' }, {}] });
  },
  Telemetry: async (app, express) => {
    const block = {} as { telemetry: KiketTelemetryReporter };
    start(express, 'Telemetry', undefined, block);
    const path = '/webhooks/issue.created';
    await deliver(app, issueCreated(), { path }).expect(200);
    fake.fail({ kind: 'status', status: 400, times: 1 });
    await deliver(app, issueCreated(), { path }).expect(422);
    await block.telemetry.close();
    expect(fake.telemetry).toMatchObject([
      { event: 'issue.created', version: 'v1', status: 'ok' },
      { event: 'issue.created', status: 'error', error_code: 'api.refused' },
    ]);
  },
  'The runtime token': async (_app, express) => {
    const key = createKey('first');
    const keys = await startKeyServer(key);
    process.env.KIKET_BASE_URL = new URL(keys.url).origin;
    const claims = { iss: 'kiket.dev', proj_id: 27, scopes: ['issues.read'], exp: Math.ceil(Date.now() / 1000) + 60 };
    const of = (runtime_token: string): object => ({
      event: 'issue.created',
      issue: { project_id: 27 },
      authentication: { runtime_token, scopes: ['*'] },
      secrets: { CRM_TOKEN: 'of the body' },
      // A server of an attacker, which must receive no request.
      api: { base_url: 'https://evil.example' },
    });
    const path = '/webhooks/issue.created';
    const app = start(express, 'The runtime token');
    const valid = of(mintToken(key, claims));
    await deliver(app, valid, { path }).expect(200, { project: 27, secrets: ['CRM_TOKEN'] });
    expect(codeOf(await deliver(app, valid, { path, secret: 'another' }).expect(401))).toBe('signature.mismatch');
    const refused = [mintToken(createKey('first'), claims), mintToken(key, { ...claims, iss: 'evil.example' })];
    for (const each of refused)
      expect(codeOf(await deliver(app, of(each), { path }).expect(401))).toBe('token.invalid');
    const poor = of(mintToken(key, { ...claims, scopes: [] }));
    expect(codeOf(await deliver(app, poor, { path }).expect(403))).toBe('scope.missing');
    const elsewhere = { path, projectId: 28 };
    expect(codeOf(await deliver(app, valid, elsewhere).expect(401))).toBe('token.invalid');

    // For deliveries that are not signed.
    const unverified = replacing('  kiketVerify(secret),\n', '');
    const unsigned = { path, headers: { 'X-Kiket-Signature': undefined } };
    const tokenOnly = start(express, 'The runtime token', unverified);
    await deliver(tokenOnly, valid, unsigned).expect(200, { project: 27, secrets: [] });
    const trusting = start(express, 'The runtime token', (code) =>
      replacing('issuer:', 'trustUnsignedBody: true, issuer:')(unverified(code)),
    );
    await deliver(trusting, valid, unsigned).expect(200, { project: 27, secrets: ['CRM_TOKEN'] });

    keys.respond = (_req, res) => void res.writeHead(500).end();
    const withoutKeys = start(express, 'The runtime token');
    expect(codeOf(await deliver(withoutKeys, valid, { path }).expect(503))).toBe('token.keys_unavailable');
  },
};

describe('the blocks of docs/rewriting-sdk-handlers.md', () => {
  it('should all be tested', () => {
    expect([...snippets.keys()]).toEqual(Object.keys(behaviours));
  });

  it('should all run, except the one that needs a package that is not on npm', () => {
    expect(blocksOf(guide).flatMap(({ heading, mark }) => (mark === '' ? [] : [[heading, mark]]))).toEqual([
      ['The extension before', 'before'],
    ]);
  });
});

describeMajors('a block of docs/rewriting-sdk-handlers.md', (express) => {
  it.each(Object.entries(behaviours))('should behave as documented: %s', async (_name, check) => {
    await check(start(express, 'The extension after'), express);
  });
});

describeMajors('the changes for an extension of the SDK', (express) => {
  type Case = () => Test | Promise<Test>;
  let app: App;
  beforeEach(() => (app = start(express, 'The extension after')));
  const send = (changes: object = {}, options: DeliverOptions = {}): Test =>
    deliver(app, issueCreated(changes), { path: '/webhooks/issue.created', ...options });
  const without = (...scopes: string[]): object => fake.callback({ scopes });

  const cases: Record<string, Case> = {
    'is issue.created in v1, by its path': () => send({}, { path: '/v/v1/webhooks/issue.created' }),
    'writes the version as 1': () => send({ event_version: '1' }, { path: '/v/1/webhooks/issue.created' }),
    'names no version': () => send({ event_version: undefined }),
    'is another event than its path says': () => send({ event: 'issue.updated' }),
    'is another version than its header says': () => send({ event_version: 'v2' }, { eventVersion: 'v1' }),
    'is an event that is not registered': () => send({ event: 'a.b' }, { path: '/webhooks/a.b' }),
    'is a version that is not registered': () => send({ event_version: 'v2' }),
    'lacks a scope of the registration': () => send(without('read:issues')),
    'lacks a scope of requireScopes': () =>
      send({ event: 'issue.updated', ...without('issues.read') }, { path: '/webhooks/issue.updated' }),
    'lacks a secret that the handler needs': () => send({ secrets: {} }),
    'is not JSON': () => deliver(app, '{"event":', { path: '/webhooks/issue.created' }),
    'has 400 KB': () => send({ context: { padding: 'x'.repeat(400_000) } }),
    "comes while Kiket's API is down": () => {
      fake.fail({ kind: 'status', status: 500 });
      return send();
    },
    "comes while Kiket's API has too many requests": () => {
      fake.fail({ kind: 'rate-limit', retryAfter: 42 });
      return send().expect('Retry-After', '42');
    },
    "asks Kiket's API for what is not there": () =>
      send({ event: 'issue.updated', issue: { id: 999, project_id: 27 } }, { path: '/webhooks/issue.updated' }),
    "says that Kiket's API is somewhere else": () =>
      send({ api: { base_url: 'https://evil.example', runtime_header: 'X-Kiket-Runtime-Token' } }),
  };
  const rows = tableOf(sectionsOf(guide, 2).find(({ heading }) => heading === 'What changes')!.text);

  it('should be documented for these deliveries', () => {
    expect(rows.map(([delivery]) => delivery)).toEqual(Object.keys(cases));
  });

  it.each(rows.map(([delivery, , now]) => [delivery!, now!] as const))(
    'should be as in the table: a delivery that %s: %s',
    async (delivery, now) => {
      const [, status, code] = /^(\d{3})(?: ([a-z_]+\.[a-z_]+))?/.exec(now)!;
      const response = await cases[delivery]!();
      expect([response.status, codeOf(response)]).toEqual([Number(status), code as KiketErrorCode | undefined]);
      if (now.includes('events that are')) {
        expect(response.body).toMatchObject({
          error: { details: [{ events: ['issue.created@v1', 'issue.updated@v1'] }] },
        });
      }
    },
  );

  it('should use a secret of the environment only with fallbackSecrets', async () => {
    process.env.CRM_REGION = 'us';
    try {
      const withFallback = start(express, 'The extension after');
      const options = { path: '/webhooks/issue.created' };
      const response = await deliver(withFallback, issueCreated({ secrets: {} }), options).expect(200);
      expect(response.body).toMatchObject({ region: 'us' });
      const withoutIt = start(express, 'The extension after', replacing(/ +fallbackSecrets.*\n/, ''));
      await deliver(withoutIt, issueCreated({ secrets: {} }), options).expect(422);
    } finally {
      delete process.env.CRM_REGION;
    }
  });

  it('should respond with an empty 200 when a handler returns nothing, and with 500 to a guard', async () => {
    const events = kiketEvents()
      .on('issue.created@v1', () => {})
      .on('workflow.before_transition', (() => ({ ok: true })) as never);
    const app = express();
    app.post('/kiket', kiket({ secret }), events, kiketErrorHandler());
    expect((await deliver(app, { event: 'issue.created' }).expect(200)).text).toBe('');
    expect(codeOf(await deliver(app, { event: 'workflow.before_transition' }).expect(500))).toBe('reply.missing');
  });

  it('should throw for a second registration', () => {
    const handler = (): object => ({});
    const events = kiketEvents().on('issue.created@v1', handler);
    expect(() => events.on('issue.created@1', handler)).toThrow(
      "'issue.created@1' is already registered, as 'issue.created@v1'",
    );
  });
});
