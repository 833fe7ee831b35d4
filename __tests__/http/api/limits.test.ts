import { getEventListeners } from 'node:events';
import type { RequestHandler } from 'express';
import {
  createKiketApi,
  kiketDelivery,
  kiketErrorHandler,
  kiketParse,
  kiketVerify,
  type KiketApi,
} from 'kiket-express';
import type { FakeKiket } from 'kiket-express/testing';
import { CallSignal } from '../../../lib/api/call-signal';
import { Connection } from '../../support/connection';
import { deliver, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeNewest } from '../../support/express';
import { startFake } from '../../support/fake-kiket';
import { startServer } from '../../support/loopback-server';
import { signedRequest } from '../../support/signed-request';
import { until } from '../../support/until';
import { clientOf, extension, failureOf, payloadOf, RATE_LIMIT, RECORDS } from './faulty';

const TEN_SECONDS = 10_000;

const hang = { kind: 'hang', on: `GET ${RATE_LIMIT}` } as const;

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

/** True when a connection has ended. Undici opens an idle one in its place. */
const hasClosed = ({ connections }: FakeKiket): boolean => connections.accepted > connections.open;

/** Returns the number of ten-second timers that `run` sets, and the number of those left after it. */
async function deadlines(run: () => Promise<unknown>): Promise<{ set: number; left: number }> {
  const set = jest.spyOn(globalThis, 'setTimeout');
  const cleared = jest.spyOn(globalThis, 'clearTimeout');
  try {
    await run();
    const timers = set.mock.results.filter((_result, i) => set.mock.calls[i]![1] === TEN_SECONDS);
    const left = timers.filter(({ value }) => !cleared.mock.calls.some(([timer]) => timer === value));
    return { set: timers.length, left: left.length };
  } finally {
    set.mockRestore();
    cleared.mockRestore();
  }
}

describeNewest('a call of the API that hangs', (express) => {
  it.each([
    ['before a response', hang],
    ['before its turn to be made again', { kind: 'status', status: 503, headers: { 'Retry-After': '1' } } as const],
  ])('should end at the deadline: %s', async (_name, fault) => {
    const fake = await startFake();
    fake.fail(fault);
    const { app, errors } = extension(
      express,
      fake,
      (api, { signal }) => api.request('GET', RATE_LIMIT).finally(() => expect(listeners(signal)).toBe(0)),
      { deadlineMs: fault === hang ? 500 : 2500 },
    );
    const response = await deliver(app, payloadOf(fake)).expect(503);
    expect(response.body).toMatchObject({ error: { retryable: true } });
    await until(() => errors.length > 0);
    expect(errors).toMatchObject([{ code: 'api.unavailable', status: 503 }]);
    if (fault === hang) {
      expect(errors).toMatchObject([{ cause: { code: 'deadline.exceeded' } }]);
      await until(() => hasClosed(fake));
    }
  });

  it('should end at the deadline while the body is read', async () => {
    const server = await startServer((_req, res) => void res.writeHead(200).write('{"data":'));
    const { app, errors } = extension(express, server, (api) => api.request('GET', RATE_LIMIT), { deadlineMs: 500 });
    await deliver(app, payloadOf(server.url)).expect(503);
    await until(() => errors.length > 0);
    expect(errors).toMatchObject([{ code: 'api.unavailable', cause: { code: 'deadline.exceeded' } }]);
    expect(server.counts.requests).toBe(1);
  });

  it('should end when the client disconnects', async () => {
    const fake = await startFake();
    fake.fail(hang);
    const { app, errors } = extension(express, fake, (api) => api.request('GET', RATE_LIMIT));
    const { head, body } = signedRequest(JSON.stringify(payloadOf(fake)));
    await Connection.to(app, async (connection) => {
      connection.write(head, body);
      await until(() => fake.requests.length === 1);
      connection.break();
      await until(() => errors.length > 0 && hasClosed(fake));
    });
    expect(errors).toMatchObject([{ code: 'api.unavailable', apiStatus: undefined }]);
    expect(fake.requests).toHaveLength(1);
  });

  it('should send nothing after the deadline', async () => {
    const fake = await startFake();
    const { app, errors } = extension(
      express,
      fake,
      async (api, { signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        return api.rateLimit();
      },
      { deadlineMs: 50 },
    );
    await deliver(app, payloadOf(fake)).expect(503);
    await until(() => errors.length > 0);
    expect(errors).toMatchObject([{ code: 'api.unavailable', cause: { code: 'deadline.exceeded' } }]);
    expect(fake.requests).toEqual([]);
  });

  it('should end by its own signal, without others', async () => {
    const fake = await startFake();
    fake.fail(hang);
    const reason = new Error('No longer wanted');
    const { app } = extension(express, fake, async (api) => {
      const controller = new AbortController();
      const hanging = failureOf(api.request('GET', RATE_LIMIT, { signal: controller.signal }));
      await until(() => fake.requests.length === 1);
      const other = api.request('GET', RECORDS);
      controller.abort(reason);
      const { code, cause } = await hanging;
      return [code, cause === reason, listeners(controller.signal), await other];
    });
    const response = await deliver(app, payloadOf(fake)).expect(200);
    expect(response.body).toEqual({ result: ['api.unavailable', true, 0, expect.objectContaining({ data: [] })] });
  });
});

describeNewest('a delivery without kiketRespond', (express) => {
  it('should end its calls after ten seconds', async () => {
    const fake = await startFake();
    const handler: RequestHandler = (req, res, next) => {
      kiketDelivery(req)
        .api.rateLimit()
        .then((rateLimit) => res.json(rateLimit), next);
    };
    const parse = kiketParse({ api: { allowedOrigins: [fake.url] } });
    const app = endpoint(express, [kiketVerify(secret), parse, handler, kiketErrorHandler()]);
    const found = await deadlines(() => deliver(app, payloadOf(fake)).expect(200));
    expect(found).toEqual({ set: 1, left: 0 });
  });

  it('should end them when the client disconnects', async () => {
    const fake = await startFake();
    fake.fail(hang);
    const errors: unknown[] = [];
    const handler: RequestHandler = (req) =>
      void kiketDelivery(req)
        .api.rateLimit()
        .catch((e: unknown) => errors.push(e));
    const parse = kiketParse({ api: { allowedOrigins: [fake.url] } });
    const app = endpoint(express, [kiketVerify(secret), parse, handler, kiketErrorHandler()]);
    const { head, body } = signedRequest(JSON.stringify(payloadOf(fake)));
    await Connection.to(app, async (connection) => {
      connection.write(head, body);
      await until(() => fake.requests.length === 1);
      connection.break();
      await until(() => errors.length > 0 && hasClosed(fake));
    });
    expect(errors).toMatchObject([{ code: 'api.unavailable' }]);
  });
});

describe('a client outside a delivery', () => {
  it('should end a call after ten seconds', async () => {
    const fake = await startFake();
    expect(await deadlines(() => clientOf(fake).rateLimit())).toEqual({ set: 1, left: 0 });
    fake.fail({ kind: 'status', status: 400 });
    expect(await deadlines(() => failureOf(clientOf(fake).rateLimit()))).toEqual({ set: 1, left: 0 });
  });

  it('should end a call that hangs', async () => {
    const fake = await startFake();
    fake.fail(hang);
    await clientOf(fake).request('GET', RECORDS);
    jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'] });
    try {
      const failure = failureOf(clientOf(fake).rateLimit());
      await until(() => fake.requests.length === 2);
      jest.advanceTimersByTime(TEN_SECONDS);
      expect(await failure).toMatchObject({ code: 'api.unavailable', cause: { name: 'TimeoutError' } });
    } finally {
      jest.useRealTimers();
    }
    await until(() => hasClosed(fake));
  });

  it('should leave the end of a call to the signal of the client', async () => {
    const fake = await startFake();
    const { signal } = new AbortController();
    expect(await deadlines(() => clientOf(fake, signal).rateLimit())).toEqual({ set: 0, left: 0 });
  });

  it('should end a call after ten seconds beside the signal of the call', async () => {
    const fake = await startFake();
    const { signal } = new AbortController();
    expect(await deadlines(() => clientOf(fake).request('GET', RATE_LIMIT, { signal }))).toEqual({ set: 1, left: 0 });
  });

  it.each<[string, unknown]>([
    ['an error', new Error('reason')],
    ['a string', 'reason'],
    ['null', null],
    ['0', 0],
  ])('should end by the signal of the client and of the call, with %s as the cause', async (_name, reason) => {
    const fake = await startFake();
    fake.fail(hang);
    const calls = [
      (signal: AbortSignal) => clientOf(fake, signal).request('GET', RATE_LIMIT),
      (signal: AbortSignal) => clientOf(fake).request('GET', RATE_LIMIT, { signal }),
      (signal: AbortSignal) => clientOf(fake, new AbortController().signal).request('GET', RATE_LIMIT, { signal }),
    ];
    for (const [i, call] of calls.entries()) {
      const controller = new AbortController();
      const failure = failureOf(call(controller.signal));
      await until(() => fake.requests.length === i + 1);
      controller.abort(reason);
      const { code, cause } = await failure;
      expect([code, cause]).toEqual(['api.unavailable', reason]);
      expect(listeners(controller.signal)).toBe(0);
    }
    await until(() => hasClosed(fake));
  });

  it('should send nothing with a signal that has been aborted', async () => {
    const fake = await startFake();
    const signal = AbortSignal.abort(new Error('Too late'));
    const calls: readonly Promise<unknown>[] = [
      clientOf(fake, signal).rateLimit(),
      clientOf(fake).request('GET', RATE_LIMIT, { signal }),
      clientOf(fake).request('POST', RECORDS, { signal, body: { record: {} } }),
    ];
    for (const call of calls) {
      expect(await failureOf(call)).toMatchObject({ code: 'api.unavailable', cause: { message: 'Too late' } });
    }
    expect([fake.requests, fake.connections.accepted]).toEqual([[], 0]);
  });

  it('should leave no listener on a long-lived signal', async () => {
    const fake = await startFake();
    const { signal } = new AbortController();
    const api = clientOf(fake, signal);
    const attempts: readonly ((api: KiketApi) => Promise<unknown>)[] = [
      () => api.rateLimit(),
      () => api.request('GET', RATE_LIMIT, { signal }),
      () => api.request('DELETE', '/api/v1/ext/custom_data/m/t/1?project_id=1', { signal }),
      () => createKiketApi({ baseUrl: fake.url, signal }).rateLimit(),
      () => api.request('GET', '//other', { signal }),
      () => api.request('GET', RATE_LIMIT, { signal, body: {} }),
      () => api.request('HEAD' as 'GET', RATE_LIMIT, { signal }),
      () => api.request('POST', RECORDS, { signal, body: () => undefined }),
    ];
    for (let i = 0; i < 20; i++) await Promise.allSettled(attempts.map((attempt) => attempt(api)));
    expect(listeners(signal)).toBe(0);
  });

  it.each<[string, object]>([
    ['an invalid date', { since: new Date(NaN) }],
    ['a big integer in an object', { filters: { id: 1n } }],
    [
      'an object that JSON fails at',
      {
        name: Object.assign(Object.create(null) as object, {
          toString: 1,
          toJSON: () => {
            throw new TypeError('No');
          },
        }),
      },
    ],
  ])('should leave neither timer nor listener when the query cannot be written: %s', async (_name, query) => {
    const fake = await startFake();
    const { signal } = new AbortController();
    const found = await deadlines(async () => {
      await expect(clientOf(fake).request('GET', RATE_LIMIT, { query, signal })).rejects.toThrow();
    });
    expect({ ...found, listeners: listeners(signal) }).toEqual({ set: found.set, left: 0, listeners: 0 });
    expect(fake.requests).toEqual([]);
  });
});

describe('CallSignal', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('should abort after ten seconds by default', () => {
    const call = new CallSignal({ signal: undefined, remainingMs: undefined }, undefined);
    expect(call.remainingMs).toBe(TEN_SECONDS);
    jest.advanceTimersByTime(TEN_SECONDS - 1);
    expect([call.signal.aborted, call.remainingMs]).toEqual([false, 1]);
    jest.advanceTimersByTime(1);
    expect(call.signal.reason).toMatchObject({ name: 'TimeoutError' });
    call.release();
  });

  it.each([Infinity, 9000])('should leave the end to the signal when that has a deadline: %d ms', (remainingMs) => {
    const call = new CallSignal({ signal: new AbortController().signal, remainingMs }, undefined);
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(1000);
    expect(call.remainingMs).toBe(remainingMs - 1000);
    call.release();
  });

  it('should leave neither timer nor listener', () => {
    const controllers = [new AbortController(), new AbortController()] as const;
    const [{ signal }, { signal: own }] = controllers;
    const call = new CallSignal({ signal, remainingMs: undefined }, own);
    expect([listeners(signal), listeners(own), jest.getTimerCount()]).toEqual([1, 1, 1]);
    call.release();
    call.release();
    expect([listeners(signal), listeners(own), jest.getTimerCount()]).toEqual([0, 0, 0]);
    for (const controller of controllers) controller.abort();
    expect(call.signal.aborted).toBe(false);
  });

  it('should keep the reason of the first that aborts', () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const call = new CallSignal({ signal: first.signal, remainingMs: Infinity }, second.signal);
    second.abort('second');
    first.abort('first');
    expect(call.signal.reason).toBe('second');
    call.release();
  });
});
