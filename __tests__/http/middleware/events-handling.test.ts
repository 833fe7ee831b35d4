import type { ErrorRequestHandler } from 'express';
import createError from 'http-errors';
import {
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketParse,
  kiketVerify,
  NonRetryableError,
  RetryableError,
  type KiketEvents,
  type KiketHandler,
  type KiketMiddleware,
  type KiketRecord,
} from 'kiket-express';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeMajors, describeNewest } from '../../support/express';
import { published } from '../../support/published';
import {
  responsesTo,
  bytesOf,
  expectReceived,
  expectRefused,
  final,
  observed,
  pathNames,
  pathsToHandler,
  retried,
  type Refusal,
} from '../../support/refusals';
import { signedRequest } from '../../support/signed-request';
import { turns } from '../../support/turns';

type LooseHandler = (...args: Parameters<KiketHandler>) => unknown;

const ok = () => ({ ok: true });
const deadlineMs = 100;

/** Throws its argument. */
const throwing = (error: unknown): LooseHandler => {
  return () => {
    throw error;
  };
};

/** Failures of a handler, each with the response to the platform. */
const failures: [string, LooseHandler, Refusal][] = [
  [
    'a RetryableError',
    throwing(new RetryableError('Later', { retryAfterSeconds: 30 })),
    { ...retried(503, 'handler.retryable'), retryAfter: '30' },
  ],
  ['a NonRetryableError', throwing(new NonRetryableError('Never')), final(422, 'handler.final')],
  ['an Error', throwing(new Error('canary')), retried(500, 'handler.failed')],
  ['a rejection', () => Promise.reject(new Error('canary')), retried(500, 'handler.failed')],
  ["the text 'route'", throwing('route'), retried(500, 'handler.failed')],
  ['nothing thrown', throwing(undefined), retried(500, 'handler.failed')],
  [
    'a foreign error with a status',
    throwing(Object.assign(new Error('canary'), { status: 404 })),
    retried(500, 'handler.failed'),
  ],
  ['an exposed error', throwing(createError(404, 'Gone')), final(404, 'handler.final')],
  ['a text as reply', () => 'ok', retried(500, 'reply.invalid')],
  ['a secret that is missing', ({ secrets }) => secrets.require('SENTRY_DSN'), final(422, 'secret.missing')],
  ['a scope that is missing', ({ auth }) => auth.requireScopes('a'), final(403, 'scope.missing')],
  ['no response in time', () => new Promise(() => undefined), retried(503, 'deadline.exceeded')],
];

/** Registrations of a handler other than by the name of the event. */
const ways: Record<string, (fn: KiketHandler) => KiketEvents> = {
  'by name': (fn) => kiketEvents().on('issue.created', fn),
  'by name and version': (fn) => kiketEvents().on('issue.created@v1', fn),
  'by a prefix, with scopes': (fn) => kiketEvents().on('issue.*', { scopes: ['granted'] }, fn),
  'by otherwise': (fn) => kiketEvents().otherwise(fn),
};

describeNewest('kiketEvents as kiketHandler', (express) => {
  const payload = { event: 'issue.created', authentication: { scopes: ['granted'] } };

  async function expectFailure(way: string, [, fn, refusal]: (typeof failures)[0]): Promise<void> {
    const handler = jest.fn(fn as KiketHandler);
    const events = ways[way]!(handler).on('workflow.sla_status', ok);
    // Only for the rows that reach it: a busy machine may take longer for the others.
    const stages = pathsToHandler['kiket()']!(refusal.code === 'deadline.exceeded' ? { deadlineMs } : {});
    const { text } = await expectRefused(observed(express, stages, events), { name: '', payload, refusal });
    expect(text).not.toContain('canary');
    expect(handler).toHaveBeenCalledTimes(1);
  }

  it.each(failures)('should refuse the delivery when a handler ends with %s', async (...failure) => {
    await expectFailure('by name', failure);
  });

  // Both occur after the middleware has returned.
  const late = failures.filter(([name]) => name === 'a rejection' || name === 'no response in time');
  it.each(Object.keys(ways).flatMap((way) => late.map((failure) => [way, failure[0], failure] as const)))(
    'should refuse the delivery when a handler that is reached %s ends with %s',
    async (way, _name, failure) => {
      await expectFailure(way, failure);
    },
  );

  it.each<[string, LooseHandler, number, string]>([
    ['an object', ok, 200, '{"ok":true}'],
    ['a promise', () => Promise.resolve({ ok: true }), 200, '{"ok":true}'],
    ['nothing', () => undefined, 200, ''],
    ['an object after res.status(202)', (_delivery, _req, res) => (res.status(202), { ok: true }), 202, '{"ok":true}'],
    ['a response of its own', (_delivery, _req, res) => void res.status(201).json({ own: true }), 201, '{"own":true}'],
    ['res.kiket', (_delivery, _req, res) => res.kiket.ok({ kiket: true }), 200, '{"kiket":true}'],
    [
      'what it finds on the request',
      (_delivery, req) => ({ event: req.kiket?.event }),
      200,
      '{"event":"issue.created"}',
    ],
  ])('should respond with %s', async (_name, fn, status, text) => {
    const events = kiketEvents().on('issue.created', fn as KiketHandler);
    const { app } = observed(express, pathsToHandler['kiket()']!({}), events);
    const request = signedRequest(bytesOf(payload));
    const responses = await responsesTo(app, [request, request]);
    expect(responses.map((response) => [response?.status, response?.text])).toEqual([
      [status, text],
      [status, text],
    ]);
  });

  it.each(pathNames)('should 401 signature.missing for an unsigned request that %s passed on', async (path) => {
    const handler = jest.fn(ok);
    const events = kiketEvents().on('issue.created', handler).on('*', ok).otherwise(handler);
    await expectRefused(observed(express, pathsToHandler[path]!({ signatureRequired: false }), events), {
      name: '',
      payload,
      delivery: { headers: { 'X-Kiket-Signature': undefined } },
      refusal: final(401, 'signature.missing'),
    });
    expect(handler).not.toHaveBeenCalled();
  });

  const missing: [string, KiketMiddleware[]][] = [
    ['kiketVerify', []],
    ['kiketParse', [kiketVerify(secret)]],
  ];

  it.each(missing)('should 500 wiring.missing when %s has not run, with any registration', async (name, stages) => {
    const handler = jest.fn(ok);
    for (const events of [kiketEvents().on('*', handler), kiketEvents().otherwise('ignore'), kiketEvents()]) {
      const response = await deliver(endpoint(express, [...stages, events, kiketErrorHandler()])).expect(500);
      expect(response.body).toMatchObject({
        error: { code: 'wiring.missing', retryable: true, message: expect.stringContaining(name) as string },
      });
      expect((response.body as { error: { message: string } }).error.message).toMatch(/^kiketEvents needs /);
    }
    expect(handler).not.toHaveBeenCalled();
  });

  it('should provide res.kiket and the signal without kiketRespond', async () => {
    const events = kiketEvents().on('workflow.sla_status', ({ signal }, _req, res) =>
      res.kiket.ok({ aborted: signal.aborted }),
    );
    const stages = [kiketVerify(secret), kiketParse()];
    await expectReceived(observed(express, stages, events), { name: '' }, { aborted: false });
  });

  it('should abort the signal of a handler at the deadline', async () => {
    const signals: AbortSignal[] = [];
    const events = kiketEvents().on('*', ({ signal }) => {
      signals.push(signal);
      return new Promise<object>(() => undefined);
    });
    await deliver(endpoint(express, [kiket({ secret, deadlineMs }), events, kiketErrorHandler()])).expect(503);
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
  });

  describe('the record', () => {
    const known = { invocationId: 'inv-1', eventVersion: 'v1' };
    const events = () =>
      kiketEvents()
        .on('a', ok)
        .on('b', { scopes: ['x'] }, ok)
        .on('c', throwing(new RetryableError('Later')) as KiketHandler)
        .on('d', () => new Promise<object>(() => undefined));

    it.each<[string, KiketEvents, Partial<KiketRecord>]>([
      ['a', events(), { outcome: 'success', status: 200 }],
      ['b', events(), { outcome: 'final', status: 403, code: 'scope.missing' }],
      ['c', events(), { outcome: 'retryable', status: 503, code: 'handler.retryable' }],
      ['d', events(), { outcome: 'retryable', status: 503, code: 'deadline.exceeded' }],
      ['e', events(), { outcome: 'final', status: 404, code: 'event.unhandled' }],
      ['e', events().otherwise('ignore'), { outcome: 'success', status: 200 }],
      ['e', events().otherwise(() => undefined), { outcome: 'success', status: 200 }],
    ])('should be published once, and given to onCompleted, for %s (%#)', async (event, router, record) => {
      const collected: KiketRecord[] = [];
      const onCompleted = (each: KiketRecord): void => void collected.push(each);
      const stages = [kiket({ secret, onCompleted, deadlineMs: event === 'd' ? deadlineMs : undefined })];
      const app = endpoint(express, [...stages, router, kiketErrorHandler()]);
      const records = await published<KiketRecord>('kiket:delivery', async () => {
        await deliver(app, { ...example, event }, { invocationId: 'inv-1' }).expect(record.status!);
        await turns();
      });
      const durationMs = expect.any(Number) as number;
      expect(records).toMatchObject([{ code: undefined, ...known, event, ...record, durationMs }]);
      expect(collected).toEqual(records);
    });
  });

  describe('a delivery that report-only mode passes on', () => {
    const observing = pathsToHandler['kiket()']!({ reportOnly: true });
    const delivery = { secret: 'another secret' };

    it.each<[string, object | string, object]>([
      ['is routed by its event', { event: 'issue.created' }, { by: 'issue.created', verified: false }],
      ['goes to * where it names no event', {}, { by: '*', verified: false }],
      ['goes to * when it is not JSON', 'no JSON', { by: '*', verified: false }],
    ])('should be handled: it %s', async (_name, sent, reply) => {
      const by =
        (name: string): KiketHandler =>
        (each) => ({ by: name, verified: each.verified });
      const events = kiketEvents().on('issue.created', by('issue.created')).on('*', by('*'));
      await expectReceived(observed(express, observing, events), { name: '', payload: sent, delivery }, reply);
    });

    it.each<[string, (events: KiketEvents) => KiketEvents, number]>([
      ['reject', (events) => events, 404],
      ['ignore', (events) => events.otherwise('ignore'), 200],
    ])('should be handled by %s when it names no event and * is not registered', async (_name, say, status) => {
      const events = say(kiketEvents().on('issue.*', ok));
      const [response] = await responsesTo(observed(express, observing, events).app, [signedRequest('{}', delivery)]);
      expect(response?.status).toBe(status);
    });
  });
});

describeMajors('kiketEvents before other middlewares', (express) => {
  it('should call next once for an error, and never without one', async () => {
    const seen: unknown[] = [];
    const after = jest.fn<void, Parameters<KiketMiddleware>>((_req, _res, next) => next());
    const events = kiketEvents()
      .on('a', throwing(new NonRetryableError('Never')) as KiketHandler)
      .on('b', { scopes: ['x'] }, ok)
      .on('c', ok);
    const app = endpoint(express, [
      kiket({ secret }),
      events,
      after,
      ((error, _req, _res, next) => {
        seen.push((error as { code?: string }).code);
        next(error);
      }) as ErrorRequestHandler,
      kiketErrorHandler(),
    ]);
    for (const event of ['a', 'b', 'c', 'd']) await deliver(app, { event });
    expect(seen).toEqual(['handler.final', 'scope.missing', 'event.unhandled']);
    expect(after).not.toHaveBeenCalled();
  });
});
