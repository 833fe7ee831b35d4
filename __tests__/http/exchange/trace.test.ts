import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import type { RequestHandler } from 'express';
import {
  captureRawBody,
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  kiketParse,
  kiketRawBody,
  kiketRespond,
  kiketVerify,
  NonRetryableError,
  RetryableError,
  type KiketMiddleware,
  type KiketRecord,
  type KiketTrace,
} from 'kiket-express';
import { Connection } from '../../support/connection';
import { deliver, example, secret, type DeliverOptions } from '../../support/deliver';
import { endpoint, type Stage } from '../../support/endpoint';
import { describeMajors, describeNewest } from '../../support/express';
import { leaveBeforeResponse } from '../../support/leave-before-response';
import { published } from '../../support/published';
import { signedRequest } from '../../support/signed-request';
import { turns } from '../../support/turns';
import { until } from '../../support/until';

const NAMES = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
type Name = (typeof NAMES)[number];

const tracing = tracingChannel<unknown, KiketTrace>('kiket:delivery');

/** Returns the messages of the five channels that are published during `run`. */
async function traced(run: () => Promise<unknown>): Promise<{ names: Name[]; messages: KiketTrace[] }> {
  const names: Name[] = [];
  const messages: KiketTrace[] = [];
  const subscribers = Object.fromEntries(
    NAMES.map((name) => [
      name,
      (message: KiketTrace) => {
        names.push(name);
        messages.push(message);
      },
    ]),
  ) as Record<Name, (message: KiketTrace) => void>;
  tracing.subscribe(subscribers);
  try {
    await run();
    await turns();
  } finally {
    tracing.unsubscribe(subscribers);
  }
  return { names, messages };
}

const SUCCESS: Name[] = ['start', 'end', 'asyncStart', 'asyncEnd'];
const FAILURE: Name[] = ['start', 'end', 'error', 'asyncStart', 'asyncEnd'];
/** The order when the response is sent before the first middleware returns, as with Node's own `traceCallback`. */
const SUCCESS_AT_ONCE: Name[] = isOutAtOnce() ? ['start', 'asyncStart', 'asyncEnd', 'end'] : SUCCESS;
const FAILURE_AT_ONCE: Name[] = isOutAtOnce() ? ['start', 'error', 'asyncStart', 'asyncEnd', 'end'] : FAILURE;

/** From Node 24 on, data written while a request is being received is sent one tick later. */
function isOutAtOnce(): boolean {
  return Number.parseInt(process.versions.node, 10) < 24;
}

function throwing(error: Error): KiketMiddleware {
  return kiketHandler(() => {
    throw error;
  });
}

function plain(status: number): RequestHandler {
  return (_req, res) => void res.status(status).json({});
}

const ok = kiketHandler(() => ({}));
const silent: RequestHandler = () => undefined;
const oneByOne = (): KiketMiddleware[] => [kiketRawBody(), kiketVerify(secret), kiketParse(), kiketRespond()];
const forged: DeliverOptions = { secret: 'another secret' };
const unsigned: DeliverOptions = { headers: { 'X-Kiket-Signature': undefined } };

interface Ending {
  readonly stages: readonly Stage[];
  readonly payload?: object;
  readonly options?: DeliverOptions;
  readonly status: number;
  readonly names: Name[];
  readonly error?: KiketTrace['error'];
}

const success = (stages: readonly Stage[], status = 200): Ending => ({ stages, status, names: SUCCESS });

function failure(
  stages: readonly Stage[],
  status: number,
  code: string | undefined,
  more: Partial<Ending> = {},
): Ending {
  const error = { code, status, retryable: status >= 500 || status === 429 };
  return { stages, status, names: FAILURE, error, ...more };
}

const endings: Record<string, Ending> = {
  'a reply': success([kiket({ secret }), ok]),
  'a reply that is waited for': success([kiket({ secret }), kiketHandler(() => turn({}))]),
  'a reply of kiketEvents': success([kiket({ secret }), kiketEvents().on('workflow.sla_status', () => ({}))]),
  'a reply after the middlewares one by one': success([...oneByOne(), ok]),
  'a reply without kiketRespond': success([kiketVerify(secret), kiketParse(), ok]),
  'a reply after kiketRespond first': success([kiketRespond(), kiketVerify(secret), kiketParse(), ok]),
  'a secret that is waited for': success([kiket({ secret: () => turn(secret) }), ok]),
  'the 204 of a plain handler': success([kiketVerify(secret), plain(204)], 204),
  'the 500 of a plain handler': failure([kiketVerify(secret), plain(500)], 500, undefined),
  'the 400 of a plain handler': failure([kiketVerify(secret), plain(400)], 400, undefined),
  'an Error': failure([kiket({ secret }), throwing(new Error('x'))], 500, 'handler.failed'),
  'a rejection': failure(
    [kiket({ secret }), kiketHandler(() => turn().then(() => Promise.reject(new Error('x'))))],
    500,
    'handler.failed',
  ),
  'a RetryableError': failure([kiket({ secret }), throwing(new RetryableError('x'))], 503, 'handler.retryable'),
  'a NonRetryableError': failure(
    [kiket({ secret }), throwing(new NonRetryableError('x', { code: 'crm.unknown' }))],
    422,
    'crm.unknown',
  ),
  'a 429 of the API': failure(
    [kiket({ secret }), throwing(Object.assign(new Error('x'), { status: 429, expose: true }))],
    429,
    'handler.failed',
  ),
  'no signature': failure([kiket({ secret }), ok], 401, 'signature.missing', {
    options: unsigned,
    names: FAILURE_AT_ONCE,
  }),
  'a wrong signature': failure([...oneByOne(), ok], 401, 'signature.mismatch', { options: forged }),
  'a header that contradicts': failure([kiket({ secret }), ok], 400, 'delivery.conflict', {
    options: { event: 'issue.created' },
  }),
  'a payload without an event': failure([...oneByOne(), ok], 422, 'payload.invalid', { payload: {} }),
  'an event that is not handled': failure(
    [kiket({ secret }), kiketEvents().on('issue.created', () => ({}))],
    404,
    'event.unhandled',
  ),
  'a scope that is missing': failure(
    [kiket({ secret }), kiketEvents().on('workflow.sla_status', { scopes: ['moon.write'] }, () => ({}))],
    403,
    'scope.missing',
  ),
  'a body over the limit': failure([kiketRawBody({ limit: 10 }), ok], 413, 'body.too_large', {
    names: FAILURE_AT_ONCE,
  }),
  'the deadline of kiketHandler': failure(
    [kiket({ secret, deadlineMs: 30 }), kiketHandler(() => new Promise<object>(() => undefined))],
    503,
    'deadline.exceeded',
  ),
  'the deadline of a plain handler': failure([kiket({ secret, deadlineMs: 30 }), silent], 503, 'deadline.exceeded'),
};

describeNewest('the trace of a delivery', (express) => {
  it.each(Object.entries(endings))('should begin and end once: %s', async (_name, ending) => {
    const { stages, payload = example, options = {}, status, names, error } = ending;
    const app = endpoint(express, [...stages, kiketErrorHandler()]);
    let records: KiketRecord[] = [];
    const trace = await traced(async () => {
      records = await published('kiket:delivery', () => deliver(app, payload, options).expect(status));
    });
    expect(trace.names).toEqual(names);
    expect(new Set(trace.messages).size).toBe(1);
    expect(trace.messages[0]!.error).toEqual(error);
    expect(records).toHaveLength(1);
    expect(trace.messages[0]!.record).toBe(records[0]);
  });

  it('should end as soon as the response is sent, even before the first middleware returns', async () => {
    const stages = [express.json({ verify: captureRawBody }), kiket({ secret }), ok];
    const { names } = await traced(() => deliver(endpoint(express, stages)).expect(200));
    expect(names).toEqual(SUCCESS_AT_ONCE);
  });

  it('should end once, as retryable, when the client has left', async () => {
    const { names, messages } = await traced(() => leaveBeforeResponse(express, [kiket({ secret })]));
    expect(names).toEqual(FAILURE);
    expect(messages[0]).toMatchObject({
      event: 'workflow.sla_status',
      error: { code: undefined, status: 0, retryable: true },
      record: { status: 0, outcome: 'retryable' },
    });
  });

  it('should have event and version once the delivery is parsed', async () => {
    const seen: unknown[] = [];
    const look = ({ event, eventVersion, invocationId, record, error }: KiketTrace): void =>
      void seen.push({ event, eventVersion, invocationId, isRecorded: record !== undefined, error });
    const subscribers = { start: look, end: look, asyncStart: look, asyncEnd: look, error: look };
    tracing.subscribe(subscribers);
    const app = endpoint(express, [kiket({ secret }), kiketHandler(() => turn({}))]);
    await deliver(app, example, { invocationId: 'inv-1' }).expect(200);
    tracing.unsubscribe(subscribers);
    const unknown = { event: undefined, eventVersion: undefined, invocationId: 'inv-1', isRecorded: false };
    const known = { event: 'workflow.sla_status', eventVersion: 'v1', invocationId: 'inv-1', isRecorded: true };
    expect(seen).toEqual([unknown, unknown, known, known].map((each) => ({ ...each, error: undefined })));
  });

  it('should begin and end for each delivery on a connection', async () => {
    const { head, body } = signedRequest(JSON.stringify(example));
    const { names, messages } = await traced(() =>
      Connection.to(endpoint(express, [...oneByOne(), ok]), async (connection) => {
        for (let i = 0; i < 3; i++) await connection.write(head, body).response();
      }),
    );
    expect(names).toEqual([...SUCCESS, ...SUCCESS, ...SUCCESS]);
    expect(new Set(messages).size).toBe(3);
  });

  describe('of a request that is passed on', () => {
    const respond = plain(200);

    it.each<[string, Stage[], DeliverOptions]>([
      ['report-only kiketVerify', [kiketVerify(secret, { reportOnly: true }), kiketParse()], forged],
      ['report-only kiket()', [kiket({ secret, reportOnly: true })], forged],
      [
        'kiketVerify without a required signature, after kiketRespond',
        [kiketRespond(), kiketVerify(secret, { signatureRequired: false })],
        unsigned,
      ],
    ])('should end without a record: %s', async (_name, stages, options) => {
      const { names, messages } = await traced(() =>
        deliver(endpoint(express, [...stages, respond]), example, options),
      );
      expect([...names].sort()).toEqual([...SUCCESS].sort());
      expect(messages[0]).toMatchObject({ record: undefined, error: undefined });
    });

    it.each<[string, Stage[]]>([
      ['kiketVerify', [kiketVerify(secret, { signatureRequired: false }), kiketParse(), kiketRespond()]],
      ['kiket()', [kiket({ secret, signatureRequired: false })]],
    ])('should not begin for an unsigned request that %s passes on', async (_name, stages) => {
      const app = endpoint(express, [...stages, respond]);
      expect((await traced(() => deliver(app, example, unsigned).expect(200))).names).toEqual([]);
    });
  });

  describe('with subscribers that come and go', () => {
    const app = () => endpoint(express, [...oneByOne(), ok, kiketErrorHandler()]);

    it('should not begin when there is no subscriber, or none any more', async () => {
      const runStores = jest.spyOn(tracing.start, 'runStores');
      const listeners: number[] = [];
      const count: RequestHandler = (_req, res, next) => {
        next();
        listeners.push((res as ServerResponse).listenerCount('finish'));
      };
      const bare = endpoint(express, [count, kiketVerify(secret), plain(200)]);
      const subscriber = jest.fn();
      await deliver(bare).expect(200);
      tracing.end.subscribe(subscriber);
      await deliver(bare).expect(200);
      tracing.end.unsubscribe(subscriber);
      await deliver(bare).expect(200);
      expect(runStores).toHaveBeenCalledTimes(1);
      expect(subscriber).toHaveBeenCalledTimes(1);
      expect(listeners[1]).toBeGreaterThan(listeners[0]!);
      expect(listeners[2]).toBe(listeners[0]);
      runStores.mockRestore();
    });

    it.each(NAMES)('should reach a subscriber of %s alone', async (name) => {
      const told: KiketTrace[] = [];
      const collect = (message: unknown): void => void told.push(message as KiketTrace);
      channel(`tracing:kiket:delivery:${name}`).subscribe(collect);
      await deliver(app(), example, forged).expect(401);
      channel(`tracing:kiket:delivery:${name}`).unsubscribe(collect);
      expect(told).toHaveLength(1);
    });

    it('should publish nothing more when all unsubscribe during a delivery', async () => {
      const told: string[] = [];
      const subscribers = Object.fromEntries(NAMES.map((name) => [name, () => void told.push(name)])) as never;
      tracing.subscribe(subscribers);
      const leave = kiketHandler(async () => {
        await turn();
        tracing.unsubscribe(subscribers);
        return {};
      });
      await deliver(endpoint(express, [kiket({ secret }), leave])).expect(200);
      expect(told).toEqual(['start', 'end']);
    });

    it('should not begin for a subscriber that comes during a delivery', async () => {
      const told: string[] = [];
      const subscribers = Object.fromEntries(NAMES.map((name) => [name, () => void told.push(name)])) as never;
      const join = kiketHandler(async () => {
        await turn();
        tracing.subscribe(subscribers);
        return {};
      });
      await deliver(endpoint(express, [kiket({ secret }), join])).expect(200);
      tracing.unsubscribe(subscribers);
      expect(told).toEqual([]);
    });

    it('should keep a property that a subscriber adds', async () => {
      const KEY = Symbol('span');
      let found: unknown;
      const start = (message: KiketTrace): void => void Object.assign(message, { [KEY]: 'span' });
      const end = (message: KiketTrace): void => void (found = (message as { [KEY]?: unknown })[KEY]);
      tracing.start.subscribe(start as never);
      tracing.asyncEnd.subscribe(end as never);
      await deliver(app()).expect(200);
      tracing.start.unsubscribe(start as never);
      tracing.asyncEnd.unsubscribe(end as never);
      expect(found).toBe('span');
    });
  });

  describe('bound to a storage', () => {
    const storage = new AsyncLocalStorage<object>();
    beforeEach(() => tracing.start.bindStore(storage, (trace) => ({ trace })));
    afterEach(() => void tracing.start.unbindStore(storage));

    const report = kiketHandler(async (delivery) => {
      const before = storage.getStore() as { trace: KiketTrace } | undefined;
      await turn();
      const { trace } = storage.getStore() as { trace: KiketTrace };
      return { isSame: trace === before?.trace, mine: trace.invocationId === delivery.invocationId };
    });
    const adapter: KiketMiddleware = (req, _res, next) => {
      (req as { rawBody?: unknown }).rawBody = Buffer.from(JSON.stringify(example));
      next();
    };

    const sources: Record<string, Stage[]> = {
      'an unread stream': [kiket({ secret })],
      'an unread stream, read by kiketRawBody': oneByOne(),
      'an unread stream that is given back': [kiketVerify(secret), kiketParse()],
      'an unread stream, with a secret that is waited for': [kiket({ secret: () => turn(secret) })],
      'an unread stream given back, with a secret that is waited for': [kiketVerify(() => turn(secret)), kiketParse()],
      'express.json() that captures': [express.json({ verify: captureRawBody }), kiket({ secret })],
      'express.raw()': [express.raw({ type: () => true }), kiket({ secret })],
      'express.text()': [express.text({ type: () => true }), kiket({ secret })],
      "an adapter's rawBody": [adapter, kiket({ secret })],
      "an adapter's rawBody, with a secret that is waited for": [adapter, kiket({ secret: () => turn(secret) })],
    };

    it.each(Object.entries(sources))('should reach the handler: %s', async (_name, stages) => {
      const app = endpoint(express, [...stages, report, kiketErrorHandler()]);
      await deliver(app, example, { invocationId: 'inv-1' }).expect(200, { isSame: true, mine: true });
    });

    it('should reach a handler whose body comes in parts', async () => {
      const { head, body } = signedRequest(JSON.stringify(example), { invocationId: 'inv-1' });
      const app = endpoint(express, [kiket({ secret: () => turn(secret) }), report, kiketErrorHandler()]);
      const response = await Connection.to(app, async (connection) => {
        await connection.writeHead(head);
        connection.write(body.subarray(0, 20));
        await turn();
        return connection.write(body.subarray(20)).response();
      });
      expect(response?.text).toBe(JSON.stringify({ isSame: true, mine: true }));
    });

    it('should keep the traces of simultaneous deliveries apart', async () => {
      let waiting = 0;
      const meet = kiketHandler(async (delivery) => {
        waiting++;
        await until(() => waiting === 2);
        const { trace } = storage.getStore() as { trace: KiketTrace };
        return { id: delivery.invocationId, traced: trace.invocationId };
      });
      const app = endpoint(express, [kiket({ secret: () => turn(secret) }), meet]);
      const responses = await Promise.all(
        ['inv-1', 'inv-2'].map((id) => deliver(app, example, { invocationId: id }).expect(200)),
      );
      expect(responses.map(({ body }) => body as unknown)).toEqual([
        { id: 'inv-1', traced: 'inv-1' },
        { id: 'inv-2', traced: 'inv-2' },
      ]);
    });

    it('should not reach a request that is passed on untraced', async () => {
      const app = endpoint(express, [
        kiket({ secret, signatureRequired: false }),
        ((_req, res) => void res.json({ stored: storage.getStore() !== undefined })) satisfies RequestHandler,
      ]);
      await deliver(app, example, unsigned).expect(200, { stored: false });
    });
  });

  it('should publish of an error only code, status and retryable', async () => {
    const app = endpoint(express, [kiket({ secret }), throwing(new Error('x')), kiketErrorHandler()]);
    const { messages } = await traced(() => deliver(app).expect(500));
    expect(messages[0]!.error).toEqual({ code: 'handler.failed', status: 500, retryable: true });
    expect(Object.isFrozen(messages[0]!.error)).toBe(true);
    expect(Object.keys(messages[0]!)).toEqual(['record', 'error']);
  });
});

describeMajors('the trace of a delivery', (express) => {
  it('should end once when Express responds to an error', async () => {
    const { names } = await traced(() => deliver(endpoint(express, [kiket({ secret }), ok]), example, forged));
    expect(names).toEqual(FAILURE);
  });
});
