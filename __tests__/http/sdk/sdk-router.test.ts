import { kiket, kiketErrorHandler, kiketHealth } from 'kiket-express';
import { sdkRouter, type SdkRouter, type WebhookHandler } from 'kiket-express/sdk';
import request from 'supertest';
import { deliver, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeMajors, describeNewest } from '../../support/express';
import { codeOf } from './running';

const named =
  (name: string): WebhookHandler =>
  (_payload, { event, eventVersion }) => ({ name, event, eventVersion });
const ok = named('ok');

/** The methods without types, as in JavaScript. */
interface Loose {
  register(...args: unknown[]): SdkRouter;
  webhook(...args: unknown[]): (handler: unknown) => unknown;
  load(module: unknown): SdkRouter;
}
const loose = (): Loose => sdkRouter() as unknown as Loose;

const mark = (handler: WebhookHandler, event: unknown, version: unknown): WebhookHandler =>
  Object.assign(handler, { __kiket_event__: event, __kiket_version__: version });

describeMajors('sdkRouter', (express) => {
  it('should run the handler of the event and the version', async () => {
    const router = sdkRouter()
      .register('issue.created', named('first'), 'v1')
      .register('issue.created', named('second'), '2');
    const app = endpoint(express, [kiket({ secret }), router, kiketErrorHandler()]);
    await deliver(app, { event: 'issue.created', event_version: '1.0' }).expect(200, {
      name: 'first',
      event: 'issue.created',
      eventVersion: 'v1',
    });
    await deliver(app, { event: 'issue.created', event_version: 'v2' }).expect(200, {
      name: 'second',
      event: 'issue.created',
      eventVersion: 'v2',
    });
    const refused = await deliver(app, { event: 'issue.created', event_version: 'v3' }).expect(404);
    expect(refused.body).toMatchObject({
      error: { code: 'event.unhandled', details: [{ events: ['issue.created@v1', 'issue.created@2'] }] },
    });
  });

  it('should serve the paths of the SDK', async () => {
    const router = sdkRouter().register('issue.created', ok, 'v1').register('issue.created', ok, 'v2');
    const app = express();
    app.set('env', 'test');
    app.post(['/webhooks/:event', '/v/:version/webhooks/:event'], kiket({ secret }), router, kiketErrorHandler());
    const send = (path: string, payload: object) => deliver(app, payload, { path });
    const created = { event: 'issue.created' };
    await send('/webhooks/issue.created', created).expect(200, { name: 'ok', ...created, eventVersion: 'v1' });
    await send('/v/v2/webhooks/issue.created', created).expect(200, { name: 'ok', ...created, eventVersion: 'v2' });
    await send('/v/2/webhooks/issue.created', {}).expect(200, { name: 'ok', ...created, eventVersion: 'v2' });
    expect(codeOf(await send('/webhooks/issue.updated', created).expect(400))).toBe('delivery.conflict');
    expect(codeOf(await send('/webhooks/issue.updated', {}).expect(404))).toBe('event.unhandled');
  });

  it('should require the scopes of a registration', async () => {
    const router = sdkRouter().register('a.b', ok, 'v1', ['issues.read', 'issues.write']);
    const app = endpoint(express, [kiket({ secret }), router, kiketErrorHandler()]);
    const send = (...scopes: string[]) => deliver(app, { event: 'a.b', authentication: { scopes } });
    expect(codeOf(await send('issues.read').expect(403))).toBe('scope.missing');
    await send('issues.read', 'issues.write').expect(200);
    await send('*').expect(200);
  });
});

describeNewest('sdkRouter', (express) => {
  it('should return the handler of webhook, which may be registered again', async () => {
    const router = sdkRouter();
    const handler = router.webhook('a.b', 'v1', ['issues.read'])(ok);
    expect(router.webhook('a.b', 'v2')(handler)).toBe(ok);
    const app = endpoint(express, [kiket({ secret }), router, kiketErrorHandler()]);
    await deliver(app, { event: 'a.b' }).expect(403);
    await deliver(app, { event: 'a.b', event_version: '2' }).expect(200);
  });

  it('should load the marked functions of a module, each once', () => {
    const created = mark(named('created'), 'issue.created', 'v1');
    const updated = mark(named('updated'), 'issue.updated', '2');
    const unmarked = [
      mark(named('a'), 'a.b', undefined),
      mark(named('b'), undefined, 'v1'),
      mark(named('c'), '', 'v1'),
    ];
    const module = { created, again: created, updated, default: { created }, ...unmarked, VERSION: 'v1', none: null };
    expect(sdkRouter().load(module).registered).toEqual([
      { event: 'issue.created', version: 'v1' },
      { event: 'issue.updated', version: 'v2' },
    ]);
  });

  it('should give each handler the options', async () => {
    const router = sdkRouter({ settings: { limit: 5 }, extensionId: 'com.acme' }).register(
      'a.b',
      (_payload, { settings, extensionId }) => ({ settings, extensionId }),
      'v1',
    );
    const app = endpoint(express, [kiket({ secret }), router, kiketErrorHandler()]);
    await deliver(app, { event: 'a.b' }).expect(200, { settings: { limit: 5 }, extensionId: 'com.acme' });
  });

  it('should be listed by kiketHealth', async () => {
    const app = express();
    app.get('/health', kiketHealth(sdkRouter().register('a.b', ok, 'v1')));
    const response = await request(app).get('/health').expect(200);
    expect(response.body).toMatchObject({ events: [{ event: 'a.b', version: 'v1' }] });
  });

  it('should run a guard, which no other handler receives', async () => {
    const event = 'workflow.before_transition';
    const router = sdkRouter().register(event, () => ({ status: 'deny', message: 'No' }), 'v1');
    const app = endpoint(express, [kiket({ secret }), router, kiketErrorHandler()]);
    await deliver(app, { event }).expect(200, { status: 'deny', message: 'No' });
  });

  it('should fail with wiring.missing without kiket()', async () => {
    const app = endpoint(express, [sdkRouter().register('a.b', ok, 'v1') as never, kiketErrorHandler()]);
    const response = await deliver(app, { event: 'a.b' }).expect(500);
    expect(codeOf(response)).toBe('wiring.missing');
  });
});

describe('sdkRouter at start-up', () => {
  it('should throw for an event and a version that are registered already', () => {
    expect(() => sdkRouter().register('a.b', ok, 'v1').register('a.b', ok, '1')).toThrow(
      new TypeError(
        "sdkRouter: 'a.b@1' is already registered, as 'a.b@v1'; remove one of them. '1' and 'v1' are the same version",
      ),
    );
  });

  it.each<[string, () => unknown, string]>([
    ['a handler that is missing', () => loose().register('a.b'), 'handler must be a function, but is undefined'],
    ['webhook without a handler', () => loose().webhook('a.b', 'v1')(7), 'handler must be a function, but is 7'],
    [
      'a version that is missing',
      () => loose().register('a.b', ok),
      'version must be a non-empty string, but is undefined',
    ],
    [
      'a version that is a number',
      () => loose().register('a.b', ok, 1),
      'version must be a non-empty string, but is 1',
    ],
    ['an event that is empty', () => loose().register('', ok, 'v1'), 'event must be a non-empty string, but is ""'],
    ['a prefix', () => loose().register('a.*', ok, 'v1'), 'event must be "name", "name@v2", "prefix.*" or "*", but is'],
    ['scopes in a string', () => loose().register('a.b', ok, 'v1', 'x'), 'scopes must be an array, but is a string'],
    ['a scope that is empty', () => loose().register('a.b', ok, 'v1', ['']), 'scopes[0] must be a non-empty string'],
    ['a module without handlers', () => loose().load({ ok }), '__kiket_version__, but exports none'],
    ['the path of a module', () => loose().load('./handlers'), '__kiket_version__, but is a string'],
    ['an unknown option', () => sdkRouter({ version: '1' } as never), 'unknown option "version"'],
  ])('should throw a TypeError for %s', (_name, run, message) => {
    expect(run).toThrow(TypeError);
    expect(run).toThrow(`sdkRouter: `);
    expect(run).toThrow(message);
  });

  it('should throw when it is mounted without being called', () => {
    expect(() => sdkRouter({ method: 'POST', headers: {} } as never)).toThrow(
      'sdkRouter is mounted without being called: write sdkRouter()',
    );
  });
});
