import type { Queue } from 'bullmq';
import type { RequestHandler } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketVerify,
  type KiketDelivery,
  type KiketHandler,
  type KiketMiddleware,
} from 'kiket-express';
import { kiketEnqueue, type KiketQueue } from 'kiket-express/bullmq';
import { deliver, example, secret, type DeliverOptions } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { majors, type Express } from '../../support/express';
import { describeWithRedis, startRedis, type RedisServer } from '../../support/redis-server';
import { jobsOf, openQueue } from './queues';

const express = majors['Express 5'];

type App = ReturnType<Express>;

function appOf(express: Express, handler: KiketHandler, before: KiketMiddleware[] = [kiket({ secret })]): App {
  return endpoint(express, [...before, kiketHandler(handler), kiketErrorHandler()]);
}

function without(payload: object, ...fields: string[]): object {
  return Object.fromEntries(Object.entries(payload).filter(([field]) => !fields.includes(field)));
}

/** A queue that records the jobs in memory. */
class RecordingQueue implements KiketQueue {
  readonly name = 'recording';
  readonly added: { name: string; data: object; options: Record<string, unknown> }[] = [];
  defaultJobOptions: KiketQueue['defaultJobOptions'];

  add(name: string, data: object, options: object): Promise<unknown> {
    this.added.push({ name, data, options: options as Record<string, unknown> });
    return Promise.resolve();
  }
}

/** The options of the job of one delivery. */
async function optionsWith(
  defaultJobOptions: KiketQueue['defaultJobOptions'],
  delivery: DeliverOptions = {},
): Promise<Record<string, unknown>> {
  const queue = new RecordingQueue();
  queue.defaultJobOptions = defaultJobOptions;
  await deliver(appOf(express, kiketEnqueue(queue)), example, delivery).expect(202);
  return queue.added[0]!.options;
}

describeWithRedis('kiketEnqueue', () => {
  let redis: RedisServer;
  let queue: Queue;
  beforeAll(async () => void (redis = await startRedis()));
  beforeEach(() => void (queue = openQueue(redis)));

  it('should keep a completed job for two days, and a failed one forever', async () => {
    await deliver(appOf(express, kiketEnqueue(queue))).expect(202);
    const [job] = await jobsOf(queue);
    expect(job!.opts).toMatchObject({ attempts: 6, backoff: { type: 'kiket' }, removeOnComplete: { age: 172_800 } });
    expect(job!.opts).not.toHaveProperty('removeOnFail');
  });

  it('should not override the options of the queue', async () => {
    const defaultJobOptions = { attempts: 3, priority: 5, removeOnComplete: { age: 604_800 }, removeOnFail: true };
    queue = openQueue(redis, { defaultJobOptions });
    await deliver(appOf(express, kiketEnqueue(queue))).expect(202);
    const [job] = await jobsOf(queue);
    expect(job!.opts).toMatchObject({ ...defaultJobOptions, backoff: { type: 'kiket' } });
  });

  it('should derive the job id from the delivery, so that all replicas use the same', async () => {
    await deliver(appOf(express, kiketEnqueue(queue)), example, { invocationId: 'inv_1' }).expect(202);
    const [job] = await jobsOf(queue);
    expect(job!.id).toMatch(/^kiket-[0-9a-f]{64}$/);
    const again = openQueue(redis);
    await deliver(appOf(express, kiketEnqueue(again)), example, { invocationId: 'inv_1' }).expect(202);
    expect((await jobsOf(again))[0]!.id).toBe(job!.id);
  });
});

describe('kiketEnqueue', () => {
  it.each([
    [undefined, { age: 172_800 }],
    [true, { age: 172_800 }],
    [100, { age: 172_800 }],
    [{ age: 3600 }, { age: 172_800 }],
    [{ age: 604_800, count: 100 }, { age: 172_800 }],
    [{ count: 100 }, { age: 172_800 }],
    [{ age: 172_800 }, { age: 172_800 }],
    [
      { age: 604_800, limit: 10 },
      { age: 604_800, limit: 10 },
    ],
    [false, false],
  ])('should keep completed jobs long enough when the queue has removeOnComplete: %j', async (given, kept) => {
    expect(await optionsWith({ removeOnComplete: given })).toMatchObject({ removeOnComplete: kept });
  });

  it.each([
    [undefined, 6],
    [{}, 6],
    [{ attempts: 1 }, 1],
    [{ attempts: 20 }, 20],
  ])('should use the attempts of the queue %j, or six', async (given, attempts) => {
    expect(await optionsWith(given)).toMatchObject({ attempts });
  });

  it.each([
    ['are null', { ...example, secrets: null }, () => {}],
    [
      'are put in sight by a handler',
      example,
      (payload: object) => {
        const { secrets } = payload as Record<string, unknown>;
        Object.defineProperty(payload, 'secrets', { value: secrets, enumerable: true });
      },
    ],
  ])('should leave out the secrets when they %s', async (_how, payload, change) => {
    const queue = new RecordingQueue();
    const enqueue = kiketEnqueue(queue);
    const app = appOf(express, (delivery) => {
      change(delivery.payload);
      return enqueue(delivery);
    });
    await deliver(app, payload).expect(202);
    expect((queue.added[0]!.data as { payload: object }).payload).toEqual(
      without(payload, 'secrets', 'authentication'),
    );
  });

  it('should keep the signed id of the delivery', async () => {
    const queue = new RecordingQueue();
    const payload = { id: 'evt_1', type: 'issue.created', data: {} };
    await deliver(appOf(express, kiketEnqueue(queue)), payload).expect(202);
    expect(queue.added[0]!.data).toMatchObject({ deliveryId: 'evt_1' });
  });

  it('should not use a project that only a header names for calls back', async () => {
    const queue = new RecordingQueue();
    const payload = without(example, 'issue', 'authentication');
    await deliver(appOf(express, kiketEnqueue(queue)), payload, { projectId: 99 }).expect(202);
    expect(queue.added[0]!.data).toMatchObject({ projectId: 99, apiProjectId: undefined });
  });

  it('should use the project of the only scope for calls back', async () => {
    const queue = new RecordingQueue();
    const payload = { ...without(example, 'issue'), authentication: { scopes: ['read:issues', 'project:5'] } };
    await deliver(appOf(express, kiketEnqueue(queue)), payload).expect(202);
    expect(queue.added[0]!.data).toMatchObject({ apiProjectId: 5 });
  });

  it('should let the handler around it send a response of its own', async () => {
    const enqueue = kiketEnqueue(new RecordingQueue());
    const handler: KiketHandler = async (delivery) => {
      await enqueue(delivery);
      return { queued: delivery.event };
    };
    await deliver(appOf(express, handler)).expect(202, { queued: 'workflow.sla_status' });
  });

  it.each([
    ['a copy', (delivery: KiketDelivery) => ({ ...delivery })],
    ['a fake', () => ({ event: 'issue.created', payload: {} })],
    ['nothing', () => undefined],
  ])('should throw a TypeError for %s of a delivery', async (_what, make) => {
    const queue = new RecordingQueue();
    const enqueue = kiketEnqueue(queue);
    const app = appOf(express, (delivery) => enqueue(make(delivery) as KiketDelivery));
    const response = await deliver(app).expect(500);
    expect(response.body).toMatchObject({
      error: {
        code: 'wiring.missing',
        message: expect.stringContaining(
          'kiketEnqueue needs the delivery that kiketHandler passes to its handler',
        ) as string,
      },
    });
    expect(queue.added).toEqual([]);
  });

  it('should name the middleware that has not run', async () => {
    const enqueue = kiketEnqueue(new RecordingQueue());
    const app = endpoint(express, [
      kiketVerify(secret),
      ((req, _res, next) => void enqueue(req.kiket as KiketDelivery).catch(next)) satisfies RequestHandler,
      kiketErrorHandler(),
    ]);
    const response = await deliver(app).expect(500);
    expect(response.body).toMatchObject({
      error: { code: 'wiring.missing', message: expect.stringContaining('kiketParse') as string },
    });
  });

  it.each([
    [
      'circular',
      (payload: Record<string, unknown>) => {
        payload['self'] = payload;
      },
    ],
    [
      'a BigInt',
      (payload: Record<string, unknown>) => {
        payload['big'] = 1n;
      },
    ],
    [
      'nested without end',
      (payload: Record<string, unknown>) => {
        for (let i = 0; i < 100_000; i++) payload['context'] = { inner: payload['context'] };
      },
    ],
  ])('should fail when a handler has made the payload %s', async (_what, change) => {
    const queue = new RecordingQueue();
    const enqueue = kiketEnqueue(queue);
    const app = appOf(express, (delivery) => {
      change(delivery.payload);
      return enqueue(delivery);
    });
    const response = await deliver(app).expect(500);
    expect(response.body).toMatchObject({
      error: {
        code: 'handler.failed',
        message: expect.stringContaining('The payload cannot be written as JSON') as string,
      },
    });
    expect(queue.added).toEqual([]);
  });

  it('should fail when the payload is nested too deeply for JSON', async () => {
    const depth = 100_000;
    const body = `{"event":"issue.created","context":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`;
    await deliver(appOf(express, kiketEnqueue(new RecordingQueue())), body).expect(500);
  });

  it.each([undefined, null, {}, 'queue', { add: true }])('should throw for %j in place of a queue', (queue) => {
    const create = (): unknown => kiketEnqueue(queue as unknown as KiketQueue);
    expect(create).toThrow(TypeError);
    expect(create).toThrow(/^kiketEnqueue: queue must be a Queue of BullMQ, but is /);
  });
});
