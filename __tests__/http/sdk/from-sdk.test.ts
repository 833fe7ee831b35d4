import { inspect } from 'node:util';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketParse,
  kiketVerify,
  NonRetryableError,
  RetryableError,
} from 'kiket-express';
import { parseManifest } from 'kiket-express/manifest';
import { allow, fromSdk, pending, ScopeError, type HandlerContext, type WebhookHandler } from 'kiket-express/sdk';
import { kiketRuntimeToken } from 'kiket-express/runtime-token';
import { deliver, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeMajors, describeNewest } from '../../support/express';
import { createKey, mintToken, startKeyServer } from '../../support/key-server';
import { codeOf, event, payload, runSdk, startKiket } from './running';

/** `fromSdk` without types, as in JavaScript. */
const loose = fromSdk as (...args: unknown[]) => unknown;

describeMajors('a handler of the SDK', (express) => {
  it('should get the payload and the context, and its result should be sent as JSON', async () => {
    const handler: WebhookHandler = ({ issue }, { event: name, eventVersion, headers, settings, ...rest }) => ({
      issue,
      name,
      eventVersion,
      type: headers['content-type'],
      settings,
      extension: [rest.extensionId, rest.extensionVersion],
    });
    const sdk = { settings: { limit: 5 }, extensionId: 'com.acme', extensionVersion: '1.2.0' };
    const options = { sdk, payload: { event_version: '1' } };
    expect((await runSdk(express, handler, options)).body).toEqual({
      issue: payload.issue,
      name: event,
      eventVersion: 'v1',
      type: 'application/json',
      settings: { limit: 5 },
      extension: ['com.acme', '1.2.0'],
    });
  });

  it('should run in kiketHandler, and in plain JavaScript', async () => {
    const handler = loose((_payload: object, { event: name }: HandlerContext) => ({ name })) as never;
    const app = endpoint(express, [kiket({ secret }), kiketHandler(event, handler), kiketErrorHandler()]);
    await deliver(app, payload).expect(200, { name: event });
  });

  it.each([undefined, null, false, 0, ''])('should respond { ok: true } when its result is %p', async (result) => {
    const response = await runSdk(express, () => Promise.resolve(result));
    expect([response.status, response.body]).toEqual([200, { ok: true }]);
  });

  it.each<[string, () => Error, number, string]>([
    ['a RetryableError', () => new RetryableError('Later'), 503, 'handler.retryable'],
    ['a NonRetryableError', () => new NonRetryableError('Never'), 422, 'handler.final'],
    ['any other error', () => new Error('canary'), 500, 'handler.failed'],
  ])('should respond as kiketHandler does when it throws %s', async (_name, create, status, code) => {
    const response = await runSdk(express, () => Promise.reject(create()));
    expect([response.status, codeOf(response)]).toEqual([status, code]);
    expect(response.text).not.toContain('canary');
  });
});

describeNewest('a guard of the SDK', (express) => {
  const guard = { payload: { event: 'workflow.before_transition' } };

  it('should send its decision', async () => {
    const handler = () => allow({ message: 'Fine', data: { by: 7 }, outputFields: { url: 'https://a' } });
    expect((await runSdk(express, handler, guard)).body).toEqual({
      status: 'allow',
      message: 'Fine',
      metadata: { by: 7, output_fields: { url: 'https://a' } },
    });
    expect((await runSdk(express, () => pending('Wait'), guard)).body).toEqual({ status: 'pending', message: 'Wait' });
  });

  it.each([undefined, { ok: true }])('should be 500 when it returns %p, which would be approval', async (result) => {
    const response = await runSdk(express, () => result, guard);
    expect([response.status, codeOf(response)]).toEqual([500, 'reply.missing']);
  });
});

describeNewest('the settings of the context', (express) => {
  const contextOf = async (sdk: object): Promise<unknown> => {
    const handler: WebhookHandler = (_payload, { settings, extensionId, extensionVersion }) => ({
      settings,
      extensionId,
      extensionVersion,
    });
    return (await runSdk(express, handler, { sdk })).body;
  };
  const manifest = { id: 'com.acme', version: '1.0.0', settings: { limit: 5, region: 'eu' }, hooks: [] };

  it('should be those of a manifest', async () => {
    expect(await contextOf({ manifest })).toEqual({
      settings: { limit: 5, region: 'eu' },
      extensionId: 'com.acme',
      extensionVersion: '1.0.0',
    });
  });

  it('should include the secret settings of a loaded manifest, as in the SDK', async () => {
    const declared = {
      model_version: '1.0',
      extension: { id: 'com.acme', version: '2.1.0' },
      configuration: { limit: { type: 'integer', default: 5 }, CRM_TOKEN: { type: 'string', secret: true } },
    };
    const env = { KIKET_SECRET_CRM_TOKEN: 'canary_of_a_secret' };
    const loaded = parseManifest(JSON.stringify(declared), { path: 'manifest.json', env });
    const handler: WebhookHandler = (_payload, { settings, extensionId }) => ({
      isTheSecret: settings.CRM_TOKEN === 'canary_of_a_secret',
      limit: settings.limit,
      extensionId,
    });
    expect((await runSdk(express, handler, { sdk: { manifest: loaded } })).body).toEqual({
      isTheSecret: true,
      limit: 5,
      extensionId: 'com.acme',
    });
  });

  it('should be replaced, each by its name, by those of the options', async () => {
    const sdk = { manifest, settings: { limit: 9 }, extensionId: 'com.other', extensionVersion: '2.0.0' };
    expect(await contextOf(sdk)).toEqual({
      settings: { limit: 9, region: 'eu' },
      extensionId: 'com.other',
      extensionVersion: '2.0.0',
    });
  });
});

describeNewest('the secrets of the context', (express) => {
  const secrets = { CRM_TOKEN: 'canary_of_a_secret' };

  it('should be those of the delivery, then those of fallbackSecrets, and never the environment', async () => {
    process.env.KIKET_TEST_TOKEN = 'of the environment';
    try {
      const handler: WebhookHandler = (_payload, { secret: find, payloadSecrets }) => ({
        found: ['CRM_TOKEN', 'REGION', 'KIKET_TEST_TOKEN'].map((key) => find(key)?.length ?? null),
        sent: Object.keys(payloadSecrets),
        same: payloadSecrets.CRM_TOKEN === find('CRM_TOKEN'),
      });
      const options = { payload: { secrets }, kiket: { fallbackSecrets: { CRM_TOKEN: 'other', REGION: 'eu' } } };
      expect((await runSdk(express, handler, options)).body).toEqual({
        found: [18, 2, null],
        sent: ['CRM_TOKEN'],
        same: true,
      });
    } finally {
      delete process.env.KIKET_TEST_TOKEN;
    }
  });

  it('should be empty when the delivery has none', async () => {
    const handler: WebhookHandler = (_payload, { payloadSecrets }) => ({ sent: payloadSecrets });
    expect((await runSdk(express, handler)).body).toEqual({ sent: {} });
  });

  it('should not appear when the context is printed or serialised, in whole or in part', async () => {
    let printed = '';
    const handler: WebhookHandler = (received, context) => {
      const { auth, payloadSecrets, client, endpoints, secrets: manager } = context;
      const parts = [received, context, { ...context }, auth, { ...auth }, payloadSecrets, client, endpoints, manager];
      printed = inspect(parts, { depth: 9, showHidden: false }) + JSON.stringify(parts);
    };
    const authentication = { runtime_token: 'canary_of_a_token', scopes: ['issues.read'] };
    const kiketOptions = { fallbackSecrets: { REGION: 'canary_of_a_fallback' } };
    await runSdk(express, handler, { payload: { secrets, authentication }, kiket: kiketOptions });
    expect(printed).toContain('issues.read');
    expect(printed).toContain('CRM_TOKEN');
    expect(printed).not.toContain('canary');
  });

  it('should not appear in a printed context as settings or headers', async () => {
    let printed = '';
    const handler: WebhookHandler = (_payload, context) => {
      printed = inspect(context) + JSON.stringify(context);
    };
    await runSdk(express, handler, {
      sdk: { settings: { key: 'canary' } },
      delivery: { headers: { Authorization: 'canary' } },
    });
    expect(printed).toContain(event);
    expect(printed).not.toMatch(/canary|signature/);
  });

  it('should be withheld when the delivery is passed on unverified', async () => {
    const handler: WebhookHandler = (received, { payloadSecrets, auth, secret: find }) => {
      const seen = [received.secrets, payloadSecrets, auth.runtimeToken, auth.scopes];
      return { seen, found: find('CRM_TOKEN') };
    };
    const options = {
      payload: { secrets, authentication: { runtime_token: 'canary' } },
      kiket: { reportOnly: true },
      delivery: { secret: 'another secret' },
    };
    const response = await runSdk(express, handler, options);
    expect([response.status, codeOf(response)]).toEqual([401, 'delivery.unverified']);
    const seeing: WebhookHandler = (_payload, { payloadSecrets, auth }) => ({ payloadSecrets, auth });
    expect((await runSdk(express, seeing, options)).body).toEqual({
      payloadSecrets: {},
      auth: { tokenType: 'runtime', expiresAt: null, scopes: [] },
    });
  });
});

describeNewest('context.auth', (express) => {
  const authOf: WebhookHandler = (_payload, { auth }) => ({ auth, tokenLength: auth.runtimeToken.length });

  it('should have the values of the payload', async () => {
    const authentication = {
      token_type: 'runtime',
      runtime_token: 'abc',
      expires_at: '2030-01-01T00:00:00+01:00',
      scopes: ['a'],
    };
    expect((await runSdk(express, authOf, { payload: { authentication } })).body).toEqual({
      auth: { tokenType: 'runtime', expiresAt: '2029-12-31T23:00:00.000Z', scopes: ['a'] },
      tokenLength: 3,
    });
  });

  it('should have defaults when the payload has none', async () => {
    expect((await runSdk(express, authOf)).body).toEqual({
      auth: { tokenType: 'runtime', expiresAt: null, scopes: [] },
      tokenLength: 0,
    });
  });

  it('should have the ids of a verified token', async () => {
    const key = createKey('platform');
    const { url: jwksUrl } = await startKeyServer(key);
    const claims = { iss: 'kiket.dev', exp: 4_102_444_800, org_id: 3, proj_id: 27, ext_id: 'com.acme', scopes: ['b'] };
    const token = kiketRuntimeToken({ issuer: 'kiket.dev', jwksUrl });
    const stages = [kiketVerify(secret), token, kiketParse(), kiketHandler(fromSdk(authOf)), kiketErrorHandler()];
    const authentication = { runtime_token: mintToken(key, claims) };
    const response = await deliver(endpoint(express, stages), { ...payload, authentication }).expect(200);
    expect((response.body as { auth: object }).auth).toEqual({
      tokenType: 'runtime',
      expiresAt: '2100-01-01T00:00:00.000Z',
      scopes: ['b'],
      orgId: 3,
      extId: 'com.acme',
      projId: 27,
    });
  });

  it('should make a missing scope a final 403, and * all scopes', async () => {
    let thrown: unknown;
    const handler: WebhookHandler = (_payload, { requireScopes }) => {
      try {
        requireScopes('issues.read', 'issues.write');
      } catch (error) {
        thrown = error;
        throw error;
      }
    };
    const run = (...scopes: string[]) => runSdk(express, handler, { payload: { authentication: { scopes } } });
    const refused = await run('issues.read');
    expect([refused.status, codeOf(refused)]).toEqual([403, 'scope.missing']);
    expect(thrown).toBeInstanceOf(ScopeError);
    expect(thrown).toMatchObject({ missing: ['issues.write'] });
    expect((await run('*')).status).toBe(200);
  });
});

describeNewest('context.client', (express) => {
  const ISSUES = '/api/v1/ext/issues';

  it('should send each method, with its body, headers and parameters, and resolve to the parsed body', async () => {
    const fake = await startKiket();
    const { id } = fake.addIssue({ project_id: 27, title: 'Door' });
    fake.addComment({ issue_id: id });
    const handler: WebhookHandler = async (_payload, { client }) => {
      const found = await client.get<{ issue: { title: string } }>(`${ISSUES}/${id}`, {
        headers: { 'X-Trace': 'a' },
        params: { include: 'labels' },
        timeout: 60_000,
      });
      await client.patch(`${ISSUES}/${id}`, { issue: { title: 'Window' } });
      await client.post(`${ISSUES}/${id}/comments`, { comment: { body: 'Seen' } });
      const deleted = await client.delete(`${ISSUES}/${id}/comments/1`);
      await client.close();
      return { title: found.issue.title, deleted: deleted === undefined };
    };
    expect((await runSdk(express, handler, { fake })).body).toEqual({ title: 'Door', deleted: true });
    expect(fake.requests.map(({ method, target, body, status }) => [method, target, body, status])).toEqual([
      ['GET', `${ISSUES}/${id}?include=labels`, undefined, 200],
      ['PATCH', `${ISSUES}/${id}`, { issue: { title: 'Window' } }, 200],
      ['POST', `${ISSUES}/${id}/comments`, { comment: { body: 'Seen' } }, 201],
      ['DELETE', `${ISSUES}/${id}/comments/1`, undefined, 204],
    ]);
    expect(fake.requests[0]!.headers).toMatchObject({ 'x-trace': 'a' });
  });

  it('should send PUT, and no body for null', async () => {
    const fake = await startKiket();
    fake.fail({ kind: 'status', status: 200, body: {} });
    const handler: WebhookHandler = async (_payload, { client }) => [
      await client.put('/api/v1/ext/any', { a: 1 }),
      await client.post('/api/v1/ext/any', null),
    ];
    await runSdk(express, handler, { fake });
    expect(fake.requests.map(({ method, headers }) => [method, headers['content-length']])).toEqual([
      ['PUT', '7'],
      ['POST', '0'],
    ]);
  });

  it.each<[string, number, string, number]>([
    ['is down', 503, 'api.unavailable', 503],
    ['has no such resource', 404, 'api.refused', 422],
  ])('should respond for Kiket’s retry when the API %s', async (_name, status, code, expected) => {
    const fake = await startKiket();
    fake.fail({ kind: 'status', status });
    const response = await runSdk(express, (_payload, { client }) => client.post('/api/v1/ext/any', {}), { fake });
    expect([response.status, codeOf(response)]).toEqual([expected, code]);
  });

  it.each(['https://evil.example/api/v1/ext/any', '//evil.example/', 'api/v1/ext/any', '/api/v1/ext/../../any'])(
    'should refuse the path %s, and send nothing',
    async (path) => {
      const fake = await startKiket();
      const response = await runSdk(express, (_payload, { client }) => client.get(path), { fake });
      expect([response.status, codeOf(response)]).toEqual([500, 'api.target_refused']);
      expect(fake.requests).toEqual([]);
    },
  );

  it('should end a call after its time-out', async () => {
    const fake = await startKiket();
    fake.fail({ kind: 'hang' });
    const handler: WebhookHandler = (_payload, { client }) => client.get('/api/v1/ext/any', { timeout: 20 });
    const response = await runSdk(express, handler, { fake });
    expect([response.status, codeOf(response)]).toEqual([503, 'api.unavailable']);
  });

  it.each([-1, '20', Number.NaN])('should reject with a TypeError for the time-out %p', async (timeout) => {
    let thrown: unknown;
    const handler: WebhookHandler = async (_payload, { client }) => {
      thrown = await client.get('/api/v1/ext/any', { timeout: timeout as number }).catch((error: unknown) => error);
    };
    await runSdk(express, handler);
    expect(thrown).toBeInstanceOf(TypeError);
    expect((thrown as Error).message).toMatch(/^context\.client: timeout must be a number from 0 to /);
  });
});

describe('fromSdk', () => {
  const handler = (): void => {};

  it.each<[string, unknown[], string]>([
    ['without a handler', [], 'fromSdk: handler must be a function, but is undefined'],
    ['with an object', [{ handler }], 'fromSdk: handler must be a function, but is an object'],
    ['with a misspelt option', [handler, { extensionID: 'a' }], 'fromSdk: unknown option "extensionID". Did you mean'],
    ['with an empty id', [handler, { extensionId: '' }], 'fromSdk: extensionId must be a non-empty string, but is ""'],
    [
      'with a list of settings',
      [handler, { settings: [] }],
      'fromSdk: settings must be an object, but is an empty array',
    ],
    [
      'with the path of a manifest',
      [handler, { manifest: 'a' }],
      'fromSdk: manifest must be an object, but is a string',
    ],
    [
      'with a manifest whose id is a number',
      [handler, { manifest: { id: 7 } }],
      'fromSdk: manifest.id must be a non-empty string, but is 7',
    ],
  ])('should throw a TypeError %s', (_name, args, message) => {
    expect(() => loose(...args)).toThrow(TypeError);
    expect(() => loose(...args)).toThrow(message);
  });
});
