import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestHandler } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketParse,
  kiketRespond,
  kiketVerify,
  NonRetryableError,
  RetryableError,
  type KiketRecord,
  type KiketRespondOptions,
} from 'kiket-express';
import { Connection } from '../../support/connection';
import { deliver, example, secret, type DeliverOptions } from '../../support/deliver';
import { endpoint, type Stage } from '../../support/endpoint';
import { describeMajors, describeNewest } from '../../support/express';
import { failingCallbacks } from '../../support/failing-callbacks';
import { leaveBeforeResponse } from '../../support/leave-before-response';
import { published } from '../../support/published';
import { signedRequest } from '../../support/signed-request';
import { turns } from '../../support/turns';

const delivery: DeliverOptions = { invocationId: 'inv-1' };
const forged: DeliverOptions = { ...delivery, secret: 'another secret' };
const known = { event: 'workflow.sla_status', eventVersion: 'v1', invocationId: 'inv-1' };
const unknown = { event: undefined, eventVersion: undefined, invocationId: 'inv-1' };

function throwing(error: Error): RequestHandler {
  return kiketHandler(() => {
    throw error;
  });
}

const plain: RequestHandler = (_req, res) => void res.status(201).json({});
const silent: RequestHandler = () => undefined;
const neverSettles = kiketHandler(() => new Promise<object>(() => undefined));

type Ending = [name: string, handler: Stage, options: DeliverOptions, record: Partial<KiketRecord>];

const endings: Ending[] = [
  ['a reply', kiketHandler(() => ({})), delivery, { ...known, outcome: 'success', status: 200 }],
  ['nothing', kiketHandler(() => undefined), delivery, { ...known, outcome: 'success', status: 200 }],
  ["a plain handler's response", plain, delivery, { ...known, outcome: 'success', status: 201 }],
  [
    'a response by res.kiket',
    ((_req, res) => res.kiket.retry('Later')) satisfies RequestHandler,
    delivery,
    { ...known, outcome: 'retryable', code: 'handler.retryable', status: 503 },
  ],
  [
    'a RetryableError',
    throwing(new RetryableError('Later')),
    delivery,
    { ...known, outcome: 'retryable', code: 'handler.retryable', status: 503 },
  ],
  [
    'a NonRetryableError',
    throwing(new NonRetryableError('Never', { code: 'crm.unknown' })),
    delivery,
    { ...known, outcome: 'final', code: 'crm.unknown', status: 422 },
  ],
  [
    'an Error',
    throwing(new Error('x')),
    delivery,
    { ...known, outcome: 'retryable', code: 'handler.failed', status: 500 },
  ],
  [
    'another event',
    kiketHandler('issue.created', () => ({})),
    delivery,
    { ...known, outcome: 'final', code: 'event.unhandled', status: 404 },
  ],
  [
    'the deadline of kiketHandler',
    neverSettles,
    delivery,
    { ...known, outcome: 'retryable', code: 'deadline.exceeded', status: 503 },
  ],
  [
    'the deadline of a plain handler',
    silent,
    delivery,
    { ...known, outcome: 'retryable', code: 'deadline.exceeded', status: 503 },
  ],
  ['a wrong signature', silent, forged, { ...unknown, outcome: 'final', code: 'signature.mismatch', status: 401 }],
  [
    'a missing signature',
    silent,
    { ...delivery, headers: { 'X-Kiket-Signature': undefined } },
    { ...unknown, outcome: 'final', code: 'signature.missing', status: 401 },
  ],
  [
    'a contradicting header',
    silent,
    { ...delivery, event: 'issue.created' },
    { ...unknown, outcome: 'final', code: 'delivery.conflict', status: 400 },
  ],
];

describeNewest('the record of a delivery', (express) => {
  const collected: KiketRecord[] = [];
  const onCompleted = (record: KiketRecord): void => void collected.push(record);
  beforeEach(() => void (collected.length = 0));

  const deadlineOf = (name: string): number | undefined => (name.includes('deadline') ? 50 : undefined);

  function serve(handler: Stage, options: KiketRespondOptions): ReturnType<typeof express> {
    return endpoint(express, [kiket({ secret, ...options }), handler, kiketErrorHandler()]);
  }

  it.each(endings)('should be published once, and given to onCompleted, after %s', async (name, ...ending) => {
    const [handler, options, record] = ending;
    const app = serve(handler, { deadlineMs: deadlineOf(name), onCompleted });
    const records = await published<KiketRecord>('kiket:delivery', async () => {
      await deliver(app, example, options).expect(record.status!);
      await turns();
    });
    expect(records).toEqual([
      {
        code: undefined,
        // Once a delivery is verified and parsed, its record has the project.
        projectId: record.event === undefined ? undefined : 27,
        organizationId: undefined,
        replayed: false,
        ...record,
        durationMs: expect.any(Number) as number,
      },
    ]);
    expect(String(records[0]!.durationMs)).toMatch(/^\d+(\.\d{1,3})?$/);
    expect(collected).toEqual(records);
    expect(collected[0]).toBe(records[0]);
    expect(records[0]!.durationMs).toBeGreaterThanOrEqual(0);
    expect(Object.isFrozen(records[0])).toBe(true);
  });

  const kinds = endings.filter(([name]) =>
    ['a reply', 'a wrong signature', 'the deadline of kiketHandler'].includes(name),
  );
  it.each(kinds)('should be given to onCompleted without a subscriber, after %s', async (name, ...ending) => {
    const [handler, options, record] = ending;
    const app = serve(handler, { deadlineMs: deadlineOf(name), onCompleted });
    await deliver(app, example, options).expect(record.status!);
    await turns();
    expect(collected).toMatchObject([record]);
  });

  it('should be published for each delivery on a connection', async () => {
    const { head, body } = signedRequest(JSON.stringify(example));
    await Connection.to(serve(plain, { onCompleted }), async (connection) => {
      for (let i = 0; i < 3; i++) await connection.write(head, body).response();
    });
    expect(collected).toMatchObject([{ status: 201 }, { status: 201 }, { status: 201 }]);
  });

  it('should have status 0 when the response broke off', async () => {
    const handler = kiketHandler((_delivery, _req, res) => {
      res.write('half');
      throw new Error('x');
    });
    await expect(deliver(serve(handler, { onCompleted }))).rejects.toThrow(/aborted|hang up/);
    await turns();
    expect(collected).toMatchObject([{ outcome: 'retryable', status: 0, code: 'handler.failed' }]);
  });

  it('should reach onCompleted only for deliveries that end after kiketRespond', async () => {
    const stages = [kiketVerify(secret), kiketRespond({ onCompleted }), kiketParse(), plain, kiketErrorHandler()];
    const app = endpoint(express, stages);
    await deliver(app, example, forged).expect(401);
    expect(collected).toEqual([]);
    await deliver(app, { no: 'event' }).expect(422);
    await deliver(app).expect(201);
    expect(collected).toMatchObject([{ code: 'payload.invalid' }, { outcome: 'success' }]);
  });

  it.each(failingCallbacks)('should not change the response when onCompleted %s', async (_way, observer) => {
    await deliver(serve(plain, { onCompleted: observer })).expect(201);
    await deliver(serve(throwing(new NonRetryableError('Never')), { onCompleted: observer })).expect(422);
    await deliver(serve(silent, { onCompleted: observer, deadlineMs: 50 })).expect(503);
    await turns();
  });

  it.each<[string, unknown]>([
    ['a string', 'log'],
    ['an object', {}],
    ['null', null],
  ])('should throw a TypeError when onCompleted is %s', (_name, observer) => {
    expect(() => kiketRespond({ onCompleted: observer as never })).toThrow(TypeError);
  });

  it.each(['responded', 'left'])('should reach onCompleted in the async context of its delivery: %s', async (how) => {
    const storage = new AsyncLocalStorage<string>();
    const found: (string | undefined)[] = [];
    const within: RequestHandler = (_req, _res, next) => storage.run('this delivery', next);
    const stages = [within, kiket({ secret, onCompleted: () => void found.push(storage.getStore()) })];
    if (how === 'left') await leaveBeforeResponse(express, stages);
    else await deliver(endpoint(express, [...stages, plain])).expect(201);
    expect(found).toEqual(['this delivery']);
  });
});

describeMajors('the record of a delivery with kiketVerify alone', (express) => {
  const refusal = { ...unknown, outcome: 'final', code: 'signature.mismatch', status: 401 };

  it.each<[string, Stage[]]>([
    ['kiketErrorHandler', [plain, kiketErrorHandler()]],
    ["Express's error handler", [plain]],
  ])('should be published for a refusal, with %s', async (_name, stages) => {
    const app = endpoint(express, [kiketVerify(secret), ...stages]);
    const records = await published('kiket:delivery', () => deliver(app, example, forged).expect(401));
    expect(records).toMatchObject([refusal]);
  });

  it('should be published for a response', async () => {
    const app = endpoint(express, [kiketVerify(secret), plain]);
    const records = await published('kiket:delivery', () => deliver(app, example, delivery).expect(201));
    expect(records).toMatchObject([{ ...unknown, outcome: 'success', code: undefined, status: 201 }]);
  });

  it('should be published once, mounted twice', async () => {
    const app = endpoint(express, [kiketVerify(secret), kiketParse(), plain], [kiketVerify(secret)]);
    const records = await published('kiket:delivery', () => deliver(app, example, delivery).expect(201));
    expect(records).toHaveLength(1);
  });

  it.each<[string, DeliverOptions, number]>([
    ['a refusal', forged, 401],
    ['a response', delivery, 201],
  ])('should not change the response to %s without a subscriber', async (_name, options, status) => {
    await deliver(endpoint(express, [kiketVerify(secret), plain, kiketErrorHandler()]), example, options).expect(
      status,
    );
  });
});
