import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Express as App } from 'express';
import { kiket, kiketErrorHandler, kiketEvents } from 'kiket-express';
import { fromSdk, type WebhookHandler } from 'kiket-express/sdk';
import type { FakeKiket } from 'kiket-express/testing';
import request from 'supertest';
import { deliver, secret } from '../../../support/deliver';
import { runBlock } from '../../../support/doc-block';
import { endpoint } from '../../../support/endpoint';
import { describeMajors, describeNewest, type Express } from '../../../support/express';
import { startFake } from '../../../support/fake-kiket';
import { blocksOf, sectionsOf, tableOf } from '../../../support/markdown';

const repository = resolve(__dirname, '../../../..');
const guide = readFileSync(resolve(repository, 'docs/from-the-sdk.md'), 'utf8');
const blocks = blocksOf(guide);
const handlers = blocks.find(({ code }) => code.startsWith('// handlers.ts\n'))!.code;
const others = blocks.map(({ code }) => code).filter((code) => code !== handlers);
const [service, mixed] = others as [string, string];

const created = {
  event: 'issue.created',
  issue: { id: 7, project_id: 27 },
  secrets: { CRM_REGION: 'eu' },
};

let fake: FakeKiket;
beforeEach(async () => {
  fake = await startFake();
  fake.addRecord('com.acme.crm', 'contacts', { email: 'ann@example.com' }, { projectId: 27 });
  Object.assign(process.env, { KIKET_API_KEY: 'ext_fake', KIKET_BASE_URL: fake.url });
});
afterEach(() => {
  delete process.env.KIKET_API_KEY;
  delete process.env.KIKET_BASE_URL;
});

function start(express: Express, code: string): App {
  const app = express();
  app.set('env', 'test');
  const exported = {};
  runBlock(handlers, app, secret, express, { exports: exported });
  runBlock(code, app, secret, express, { modules: { './handlers': exported } });
  return app;
}

describe('the blocks of docs/from-the-sdk.md', () => {
  it('should be the handlers, and two services', () => {
    expect(others).toEqual([service, mixed]);
  });
});

describeMajors('the services of docs/from-the-sdk.md', (express) => {
  it('should serve the paths of the SDK', async () => {
    const app = start(express, service);
    const callback = fake.callback({ scopes: ['issues.read'] });
    await deliver(app, { ...created, ...callback }, { path: '/v/v1/webhooks/issue.created' }).expect(200, {
      ok: true,
      region: 'eu',
      email: 'ann@example.com',
    });
    expect(fake.eventLog).toMatchObject([{ extension_id: 'com.acme.crm', event: 'contact.asked', data: { issue: 7 } }]);
    const move = (to: string) => ({ event: 'workflow.before_transition', transition: { to }, ...callback });
    const path = '/webhooks/workflow.before_transition';
    await deliver(app, move('archived'), { path }).expect(200, { status: 'deny', message: 'archived is locked' });
    await deliver(app, move('done'), { path }).expect(200, { status: 'allow' });
    const health = await request(app).get('/health').expect(200);
    expect(health.body).toMatchObject({
      events: [{ event: 'issue.created' }, { event: 'workflow.before_transition' }],
    });
  });

  it('should run handlers of both kinds', async () => {
    const app = start(express, mixed);
    const callback = fake.callback({ scopes: ['issues.read'] });
    const response = await deliver(app, { ...created, ...callback }).expect(200);
    expect(response.body).toMatchObject({ email: 'ann@example.com' });
    await deliver(app, { event: 'issue.updated', issue: { id: 7 } }).expect(200, { updated: 7, eventVersion: 'v1' });
  });
});

/** Each row of the first table: how to make the handler do it. */
const rows: Record<string, WebhookHandler> = {
  'returns nothing': () => {},
  'returns nothing to a guard event': () => {},
  'returns a string, a number or true': () => true,
  'lacks a scope of requireScopes': (_payload, context) => context.requireScopes('issues.write'),
  'throws an error of its own': () => Promise.reject(new Error('canary')),
  "does not catch a 503 of Kiket's API": failing(503),
  "does not catch a 429 of Kiket's API": failing(429),
  "does not catch a 404 of Kiket's API": failing(404),
  'calls another host with context.client': (_payload, { client }) => client.get('https://evil.example/'),
  'writes to the event log without extensionId': (_payload, { endpoints }) => endpoints.logEvent('a', {}),
};

function failing(status: number): WebhookHandler {
  return (_payload, { client }) => {
    fake.fail({ kind: 'status', status });
    return client.post('/api/v1/ext/any', {});
  };
}

describeNewest('a row of docs/from-the-sdk.md', (express) => {
  const table = tableOf(sectionsOf(guide, 2).find(({ heading }) => heading === 'Differences')!.text);

  it('should be tested', () => {
    expect(table.map(([name]) => name)).toEqual(Object.keys(rows));
  });

  it.each(table as [string, string, string][])('should say how a handler ends that %s', async (name, _sdk, here) => {
    const events = kiketEvents().otherwise(fromSdk(rows[name]!));
    const api = { apiKey: 'ext_fake', baseUrl: fake.url };
    const app = endpoint(express, [kiket({ secret, api }), events, kiketErrorHandler()]);
    const event = name.includes('guard') ? 'workflow.before_transition' : 'issue.created';
    const response = await deliver(app, { event, ...fake.callback({ scopes: ['issues.read'] }) });
    const body = response.body as { error?: { code: string } };
    const code = body.error?.code;
    const [, documentedStatus, documented] = /^(\d{3}) ([^,]+)/.exec(here)!;
    expect([response.status, code ?? body]).toEqual([
      Number(documentedStatus),
      documented!.startsWith('{') ? JSON.parse(documented!) : documented,
    ]);
    expect(response.text).not.toContain('canary');
  });
});
