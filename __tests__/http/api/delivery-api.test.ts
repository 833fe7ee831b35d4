import { inspect } from 'node:util';
import type { RequestHandler } from 'express';
import {
  kiketErrorHandler,
  kiketHandler,
  kiketParse,
  kiketRawBody,
  kiketVerify,
  NonRetryableError,
  type KiketApi,
} from 'kiket-express';
import { deliver, example, secret, type DeliverOptions } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeNewest } from '../../support/express';
import { apiKey, callFrom, codeOf, EXTENSION_ID, plain, RATE_LIMIT, start, verdictOf } from './calling';

const wronglySigned: DeliverOptions = { secret: 'another secret' };
const unsigned: DeliverOptions = { headers: { 'X-Kiket-Signature': undefined } };

/** Every method of the client, with true when it returns a promise. */
const methods: [name: string, call: (api: KiketApi) => unknown, isAsync: boolean][] = [
  ['rateLimit', (api) => api.rateLimit(), true],
  ['customData', (api) => api.customData('com.acme', 'a'), false],
  ['slaEvents', (api) => api.slaEvents(), false],
  ['intakeForms', (api) => api.intakeForms(), false],
  ['issues', (api) => api.issues(), false],
  ['members', (api) => api.members(), true],
  ['webhookUrl', (api) => api.webhookUrl('inbound_email'), true],
  ['inboundEmails', (api) => api.inboundEmails(), false],
  ['extension', (api) => api.extension(), true],
  ['extensionSecrets', (api) => api.extensionSecrets(), false],
  ['logEvent', (api) => api.logEvent('a'), true],
  ['log', (api) => api.log('a'), true],
  ['metric', (api) => api.metric('a', 1), true],
  ['notify', (api) => api.notify({ title: 'a', body: 'b' }), true],
  ['sendTelemetry', (api) => api.sendTelemetry({ event: 'a', status: 'ok', durationMs: 1 }), true],
  ['request', (api) => api.request('GET', RATE_LIMIT), true],
];

describeNewest('delivery.api', (express) => {
  describe.each([
    ['wrongly signed', wronglySigned],
    ['unsigned', unsigned],
  ])('of a delivery that is %s and passed on', (_name, delivery) => {
    it.each(methods)('should refuse %s, and send nothing', async (_method, call, isAsync) => {
      const fake = await start();
      const api = { apiKey, baseUrl: fake.url, extensionId: EXTENSION_ID };
      const from = { api, options: { reportOnly: true }, payload: { ...example, ...fake.callback() }, delivery };
      const { status, result } = await callFrom(express, from, async (client) => {
        let gave: unknown;
        const code = await codeOf(() => (gave = call(client)));
        return [code, gave instanceof Promise];
      });
      expect([status, result]).toEqual([200, ['delivery.unverified', isAsync]]);
      expect(fake.connections.accepted).toBe(0);
    });

    it('should respond with the error when the handler does not check first', async () => {
      const fake = await start();
      const api = { apiKey, baseUrl: fake.url };
      const from = { api, options: { reportOnly: true }, payload: { ...example, ...fake.callback() }, delivery };
      const outcome = await callFrom(express, from, (client) => client.rateLimit());
      expect(outcome.code).toBe('delivery.unverified');
      expect(fake.connections.accepted).toBe(0);
    });

    it('should have no rate limit', async () => {
      const from = { options: { reportOnly: true }, delivery };
      const { result } = await callFrom(express, from, (client) => [client.lastRateLimit === undefined]);
      expect(result).toEqual([true]);
    });
  });

  it('should exist from kiketParse on, not before', async () => {
    const seen: string[] = [];
    const look: RequestHandler = (req, _res, next) => {
      seen.push(typeof req.kiket?.api);
      next();
    };
    const stages = [look, kiketRawBody(), look, kiketVerify(secret), look, kiketParse(), look];
    const app = endpoint(express, [...stages, kiketHandler(() => ({})), kiketErrorHandler()]);
    await deliver(app).expect(200);
    expect(seen).toEqual(['undefined', 'undefined', 'undefined', 'object']);
  });

  it('should be one client for a delivery, and another for the next', async () => {
    const seen: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      await callFrom(express, {}, (api, delivery) => void seen.push(api === delivery.api, api));
    }
    expect([seen[0], seen[2], seen[1] === seen[3]]).toEqual([true, true, false]);
  });

  it('should keep the last rate limit of its own delivery', async () => {
    const fake = await start();
    const from = { api: { apiKey, baseUrl: fake.url }, payload: plain };
    const remaining = (api: KiketApi) => api.lastRateLimit?.remaining ?? null;
    const call = async (api: KiketApi) => [remaining(api), await api.request('GET', RATE_LIMIT), remaining(api)];
    const outcomes = [await callFrom(express, from, call), await callFrom(express, from, call)];
    expect(outcomes.map(({ result }) => result)).toMatchObject([
      [null, {}, 599],
      [null, {}, 598],
    ]);
  });

  it('should show neither token nor API key', async () => {
    const fake = await start();
    const callback = fake.callback();
    const from = { api: { apiKey, baseUrl: fake.url }, payload: { ...example, ...callback } };
    let shown = '';
    await callFrom(express, from, async (api, delivery) => {
      await api.rateLimit();
      const parts = [api, api.customData('a', 'b'), api.slaEvents(), api.issues(), api.intakeForms()];
      const options = { showHidden: true, depth: 9 };
      shown = [
        ...[...parts, delivery].flatMap((each) => [
          JSON.stringify(each),
          inspect(each),
          inspect(each, { depth: 9, getters: true }),
          JSON.stringify({ ...each }),
          String(Object.values(each)),
        ]),
        ...parts.map((each) => inspect(each, options)),
        ...parts.map((each) => inspect(each, { ...options, getters: true })),
      ].join('\n');
    });
    expect(shown).toContain('ApiClient');
    expect(shown).not.toContain(callback.authentication.runtime_token);
    expect(shown).not.toContain(apiKey);
    expect(shown).not.toContain(secret);
  });

  it('should keep its credentials off req.kiket and off a copy of it', async () => {
    const { result } = await callFrom(express, { api: { apiKey } }, (_api, delivery) => [
      Object.keys(delivery).includes('api'),
      'api' in JSON.parse(JSON.stringify(delivery)),
      'api' in structuredClone({ ...delivery }),
    ]);
    expect(result).toEqual([false, false, false]);
  });

  describe('the project', () => {
    const scoped = (...scopes: unknown[]) => ({ authentication: { scopes } });
    const inProject = (project_id: unknown) => ({ issue: { project_id } });

    it.each<[string, object, string | undefined]>([
      ['the issue’s', { ...inProject(27), ...scoped('project:27') }, '27'],
      ['the issue’s before that of a scope', { ...inProject(27), ...scoped('project:5') }, '27'],
      ['the issue’s without scopes', inProject(27), '27'],
      ['that of the one scope', scoped('project:5'), '5'],
      ['that of the one scope among others', scoped('read:issues', 'project:5', '*'), '5'],
      ['that of the scope when the issue has none', { ...inProject(null), ...scoped('project:5') }, '5'],
      ['that of a big number', scoped('project:999999999999999'), '999999999999999'],
      ['none with two scopes', scoped('project:5', 'project:6'), undefined],
      ['none with all scopes', scoped('*'), undefined],
      ['none without scopes', {}, undefined],
      ['none with scopes of null', { authentication: { scopes: null } }, undefined],
      ['none of a scope of zero', scoped('project:0'), undefined],
      ['none of a scope with a leading zero', scoped('project:05'), undefined],
      ['none of a scope with a sign', scoped('project:-5'), undefined],
      ['none of a scope with a fraction', scoped('project:5.5'), undefined],
      ['none of a scope with more', scoped('project:5:read', 'my-project:5', 'project:5\n'), undefined],
      ['none of a scope without number', scoped('project:', 'project:*'), undefined],
      ['none of a scope that is not a safe integer', scoped('project:9999999999999999'), undefined],
    ])('should be %s', async (_name, fields, projectId) => {
      const fake = await start();
      const from = { api: { apiKey, baseUrl: fake.url }, payload: { ...plain, ...fields } };
      const outcome = await callFrom(express, from, async (api) => {
        await api.slaEvents().list();
        await api.intakeForms().list();
        await api.issues().list();
        await api
          .customData('com.acme', 'a')
          .list()
          .catch(() => undefined);
      });
      expect(outcome.status).toBe(200);
      expect(fake.requests.map(({ query }) => query['project_id'])).toEqual(Array(4).fill(projectId));
    });

    it.each([
      ['without any other', plain],
      ['with two scopes', { ...plain, ...scoped('project:5', 'project:6') }],
    ])('should never be that of the header: %s', async (_name, payload) => {
      const fake = await start();
      const from = { api: { apiKey, baseUrl: fake.url }, payload, delivery: { projectId: 99 } };
      const { result } = await callFrom(express, from, async (api, delivery) => {
        await api.slaEvents().list();
        return delivery.projectId;
      });
      expect(result).toBe(99);
      expect(fake.requests.map(({ target }) => target)).toEqual(['/api/v1/ext/sla/events']);
    });

    it('should be that of the call when it has one', async () => {
      const fake = await start();
      const from = { api: { apiKey, baseUrl: fake.url }, payload: { ...plain, ...inProject(27) } };
      await callFrom(express, from, async (api) => {
        await api.slaEvents(28).list();
        await api.intakeForms(28).list();
        await api.issues(28).list();
        await api.customData('com.acme', 'a', { projectId: 28 }).list();
        await api.customData('com.acme', 'a', { projectId: 28 }).create({});
        await api.issues('proj-456').list();
        await api.members('proj-456');
        await api.customData('com.acme', 'a', {}).list();
        await api.customData('com.acme', 'a', { projectId: undefined }).list();
      });
      expect(fake.requests.map(({ query }) => query['project_id'])).toEqual([
        ...Array<string>(5).fill('28'),
        'proj-456',
        'proj-456',
        '27',
        '27',
      ]);
    });

    it.each([0, -1, 1.5, Number.NaN, Infinity, 2 ** 53, '', null, {}])(
      'should be refused as a mistake of the handler: %p',
      async (projectId) => {
        const fake = await start();
        const id = projectId as number;
        const from = { api: { apiKey, baseUrl: fake.url }, payload: plain };
        const { result } = await callFrom(express, from, (api) =>
          [
            () => api.slaEvents(id),
            () => api.intakeForms(id),
            () => api.issues(id),
            () => api.customData('com.acme', 'a', { projectId: id }),
          ].map((call) => {
            try {
              return call() && 'nothing';
            } catch (error) {
              return error instanceof TypeError && error.message.includes('projectId');
            }
          }),
        );
        expect(result).toEqual([true, true, true, true]);
        expect(fake.connections.accepted).toBe(0);
      },
    );
  });

  it.each<[string, (api: KiketApi, token: string) => Promise<string>]>([
    ['the API key', () => Promise.resolve(apiKey)],
    ['the runtime token', (_api, token) => Promise.resolve(token)],
    ['a secret that was fetched', async (api) => (await api.extensionSecrets().get('STRIPE'))!],
    [
      'a secret that was set',
      (api) =>
        api
          .extensionSecrets()
          .set('NEW', 'sk_new_secret')
          .then(() => 'sk_new_secret'),
    ],
  ])('should keep %s out of the response to the platform', async (_name, obtain) => {
    const fake = await start();
    fake.setSecret(EXTENSION_ID, 'STRIPE', 'sk_live_secret');
    const callback = fake.callback();
    const api = { apiKey, baseUrl: fake.url, extensionId: EXTENSION_ID };
    let value = '';
    const outcome = await callFrom(express, { api, payload: { ...example, ...callback } }, async (client) => {
      value = await obtain(client, callback.authentication.runtime_token);
      throw new NonRetryableError(`Refused for ${value}.`, { details: [{ reason: `It was ${value}` }] });
    });
    expect(outcome.status).toBe(422);
    expect(value.length).toBeGreaterThan(6);
    expect(outcome.text).toContain('Refused for [redacted].');
    expect(outcome.text).not.toContain(value);
  });

  it('should keep both values of a changed secret out of the response to the platform', async () => {
    const fake = await start();
    fake.setSecret(EXTENSION_ID, 'STRIPE', 'sk_before');
    const api = { apiKey, baseUrl: fake.url, extensionId: EXTENSION_ID };
    const outcome = await callFrom(express, { api }, async (client) => {
      const secrets = client.extensionSecrets();
      const before = await secrets.get('STRIPE');
      await secrets.set('STRIPE', 'sk_after');
      throw new NonRetryableError(`Neither ${before}, nor sk_after, nor ${apiKey}.`);
    });
    expect(outcome.text).toContain('Neither [redacted], nor [redacted], nor [redacted].');
  });

  it('should keep the secrets out of an error that the API makes of them', async () => {
    const fake = await start();
    fake.setSecret(EXTENSION_ID, 'STRIPE', 'sk_live_secret');
    const api = { apiKey, baseUrl: fake.url, extensionId: EXTENSION_ID };
    const { runtime_token: token } = fake.callback().authentication;
    const error = `No ${apiKey}, no sk_live_secret, no ${secret}`;
    const outcome = await callFrom(express, { api, payload: { ...example, ...fake.callback() } }, async (client) => {
      await client.extensionSecrets().get('STRIPE');
      fake.fail({ kind: 'status', status: 403, body: { error } });
      await client.rateLimit();
    });
    expect(verdictOf(outcome)).toEqual([422, 'api.refused']);
    expect(outcome.text).toContain('No [redacted], no [redacted], no [redacted]');
    for (const each of [apiKey, 'sk_live_secret', secret, token]) expect(outcome.text).not.toContain(each);
  });
});
