import { createServer } from 'node:http';
import express, { type RequestHandler } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  kiketHealth,
  NonRetryableError,
  RetryableError,
  type KiketHealth,
  type KiketStore,
} from 'kiket-express';
import request from 'supertest';
import { version } from '../../../package.json';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeNewest } from '../../support/express';
import { storeFailures } from '../../support/store-failures';
import { WatchedStore } from '../../support/watched-store';
import { leaveBeforeResponse } from '../../support/leave-before-response';

const none = { success: 0, retryable: 0, final: 0 };
const events = kiketEvents()
  .on('issue.created@2', () => ({}))
  .on(['issue.*', 'workflow.sla_status'], () => ({}));
const registered = [{ event: 'issue.created', version: 'v2' }, { event: 'issue.*' }, { event: 'workflow.sla_status' }];

describeNewest('kiketHealth', (express) => {
  const serve = (health = kiketHealth(events)) => express().get('/health', health);

  async function read(app: ReturnType<typeof serve>): Promise<KiketHealth> {
    return (await request(app).get('/health').expect(200)).body as KiketHealth;
  }

  it('should send version, events and counts, and nothing else', async () => {
    const response = await request(serve())
      .get('/health')
      .expect(200)
      .expect('Content-Type', 'application/json; charset=utf-8')
      .expect('Cache-Control', 'no-store');
    expect(response.body).toEqual({ status: 'ok', version, events: registered, deliveries: none });
    expect(response.headers['content-length']).toBe(String(Buffer.byteLength(response.text)));
  });

  it('should list the events of several routers, including those that are registered later', async () => {
    const later = kiketEvents();
    const app = serve(kiketHealth(events, later));
    expect((await read(app)).events).toEqual(registered);
    later.on('*', () => ({}));
    expect((await read(app)).events).toEqual([...registered, { event: '*' }]);
  });

  it('should list no events without a router', async () => {
    expect((await read(serve(kiketHealth()))).events).toEqual([]);
  });

  it('should respond to HEAD without a body', async () => {
    const response = await request(serve()).head('/health').expect(200).expect('Cache-Control', 'no-store');
    expect(response.text).toBeUndefined();
    expect(Number(response.headers['content-length'])).toBeGreaterThan(0);
  });

  it('should count deliveries by outcome, from its call on', async () => {
    const handler = kiketHandler('workflow.sla_status', ({ invocationId }) => {
      if (invocationId === 'later') throw new RetryableError('Later');
      if (invocationId === 'never') throw new NonRetryableError('Never');
      return {};
    });
    const receiver = endpoint(express, [kiket({ secret }), handler, kiketErrorHandler()]);
    await deliver(receiver).expect(200);
    const app = serve();
    const later = serve();
    await deliver(receiver).expect(200);
    await deliver(receiver, example, { invocationId: 'inv-1' }).expect(200);
    await deliver(receiver, example, { invocationId: 'later' }).expect(503);
    await deliver(receiver, example, { invocationId: 'never' }).expect(422);
    await deliver(receiver, example, { secret: 'another secret' }).expect(401);
    await deliver(receiver, { event: 'issue.created' }).expect(404);
    const { deliveries } = await read(app);
    expect(deliveries).toEqual({ success: 2, retryable: 1, final: 3 });
    expect(await read(later)).toMatchObject({ deliveries });
  });

  it('should count a client that has left as retryable', async () => {
    const app = serve();
    await leaveBeforeResponse(express, [kiket({ secret })]);
    expect((await read(app)).deliveries).toEqual({ ...none, retryable: 1 });
  });

  it('should count neither requests that are passed on, nor its own', async () => {
    const app = serve();
    const respond: RequestHandler = (_req, res) => void res.json({});
    await deliver(endpoint(express, [kiket({ secret, reportOnly: true }), respond]), example, { secret: 'x' });
    await read(app);
    expect((await read(app)).deliveries).toEqual(none);
  });

  it('should send nothing of a single delivery', async () => {
    const app = serve();
    const handler = kiketHandler(() => ({ note: 'canary_reply' }));
    await deliver(
      endpoint(express, [kiket({ secret }), handler]),
      { event: 'issue.canary', secrets: { TOKEN: 'canary_secret_value' }, issue: { title: 'canary_title' } },
      { invocationId: 'canary_invocation' },
    ).expect(200);
    const { text } = await request(app).get('/health').expect(200);
    expect(text).not.toContain('canary');
    expect(text).toContain('"success":1');
  });
});

describeNewest('kiketHealth with a store', (express) => {
  const serve = (store: KiketStore) => express().get('/health', kiketHealth(events, { store }));
  const available = { status: 'ok', store: 'ok', version, events: registered, deliveries: none };
  const unavailable = { ...available, status: 'unavailable', store: 'unavailable' };

  it('should report a store that responds, without changing it', async () => {
    const store = new WatchedStore();
    await request(serve(store)).get('/health').expect(200, available);
    await request(serve(store)).get('/health').expect(200, available);
    expect(store.methods).toEqual(['release', 'release']);
    const [first, second] = store.calls;
    expect(first!.keys).not.toEqual(second!.keys);
  });

  it.each(Object.entries(storeFailures))('should be 503 while it %s', async (_name, release) => {
    const store = new WatchedStore();
    store.instead.release = release;
    const app = serve(store);
    await request(app).get('/health').expect(503, unavailable).expect('Cache-Control', 'no-store');
    store.instead.release = undefined;
    await request(app).get('/health').expect(200, available);
  });
});

describe('kiketHealth', () => {
  it('should accept a store without events, and an undefined store', async () => {
    for (const health of [kiketHealth({ store: new WatchedStore() }), kiketHealth({ store: undefined })]) {
      await request(express().get('/health', health)).get('/health').expect(200);
    }
  });

  it('should respond without Express', async () => {
    const health = kiketHealth(events);
    const server = createServer((req, res) => health(req, res));
    const response = await request(server).get('/').expect(200).expect('Cache-Control', 'no-store');
    expect(response.body).toEqual({ status: 'ok', version, events: registered, deliveries: none });
    await request(server).head('/').expect(200);
  });

  it('should not change numbers that it has sent', async () => {
    const health = kiketHealth(events);
    const responses: string[] = [];
    const res = { setHeader: () => undefined, end: (text: string) => void responses.push(text) };
    health({} as never, res as never);
    await deliver(endpoint(express, [kiket({ secret }), kiketHandler(() => ({}))]));
    health({} as never, res as never);
    expect(responses.map((text) => (JSON.parse(text) as KiketHealth).deliveries.success)).toEqual([0, 1]);
  });

  it.each<[string, unknown[]]>([
    ['undefined', [undefined]],
    ['null', [null]],
    ['a string', ['issue.created']],
    ['a list of routers', [[events]]],
    ['a middleware', [kiketHandler(() => ({}))]],
    ['an object without events', [{}]],
    ['another value in the list', [events, {}]],
  ])('should reject %s', (_name, wrong) => {
    const create = (): unknown => kiketHealth(...(wrong as never[]));
    expect(create).toThrow(TypeError);
    expect(create).toThrow(/^kiketHealth: each argument before the options must be a kiketEvents\(\), but one is /);
  });

  it('should forbid in types a value that is not a kiketEvents()', () => {
    // @ts-expect-error A list is not taken apart.
    expect(() => kiketHealth([events])).toThrow(TypeError);
  });
});
