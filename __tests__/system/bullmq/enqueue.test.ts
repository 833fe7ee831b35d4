import type { Queue } from 'bullmq';
import type { RequestHandler } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  kiketParse,
  kiketVerify,
  type KiketDelivery,
  type KiketHandler,
  type KiketMiddleware,
} from 'kiket-express';
import { kiketEnqueue, type KiketQueue } from 'kiket-express/bullmq';
import { deliver, example, secret, type DeliverOptions } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeMajors, majors, type Express } from '../../support/express';
import { describeWithRedis, startRedis, type RedisServer } from '../../support/redis-server';
import { jobIn, jobsOf, openQueue, startWorker } from './queues';

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

  describeMajors('the handler', (express) => {
    it('should respond with 202 once Redis has the job', async () => {
      const app = appOf(express, kiketEnqueue(queue));
      await deliver(app, example, { invocationId: 'inv_1', organizationId: 7 }).expect(202, { accepted: true });
      const [job] = await jobsOf(queue);
      expect(await job!.getState()).toBe('waiting');
      const payload = without(example, 'authentication', 'secrets');
      expect(job!.name).toBe('workflow.sla_status');
      expect(job!.data).toEqual({
        event: 'workflow.sla_status',
        eventVersion: 'v1',
        payload,
        invocationId: 'inv_1',
        projectId: example.issue.project_id,
        apiProjectId: example.issue.project_id,
        organizationId: 7,
      });
    });

    it('should enqueue a delivery once for any number of attempts with any tokens', async () => {
      const app = appOf(express, kiketEnqueue(queue));
      for (const attempt of ['first', 'second', 'second']) {
        const authentication = { ...example.authentication, runtime_token: `rt_${attempt}` };
        await deliver(app, { ...example, authentication }, { invocationId: 'inv_1' }).expect(202);
      }
      expect(await jobsOf(queue)).toHaveLength(1);
    });

    it('should enqueue other deliveries as well', async () => {
      const app = appOf(express, kiketEnqueue(queue));
      const send = (payload: object, options: DeliverOptions): Promise<unknown> =>
        deliver(app, payload, { invocationId: 'inv_1', organizationId: 7, ...options }).expect(202);
      await send(example, {});
      await send({ ...example, metrics: { overdue_minutes: 1 } }, {});
      await send({ ...example, context: { n: 2 } }, { invocationId: 'inv_2' });
      await send({ ...example, context: { n: 3 } }, { organizationId: 8 });
      expect(await jobsOf(queue)).toHaveLength(4);
    });

    it('should enqueue the same bytes once with any forged headers', async () => {
      const app = appOf(express, kiketEnqueue(queue));
      const timestampSeconds = Math.floor(Date.now() / 1000);
      for (const options of [
        { invocationId: 'inv_1', organizationId: 7 },
        { invocationId: 'inv_stolen', organizationId: 7 },
        { invocationId: 'inv_1', organizationId: 8 },
        { invocationId: 'inv_1', organizationId: 7, projectId: 8 },
      ]) {
        await deliver(app, example, { timestampSeconds, ...options }).expect(202);
      }
      expect(await jobsOf(queue)).toHaveLength(1);
    });

    it('should recognise a delivery after its job is done', async () => {
      const app = appOf(express, kiketEnqueue(queue));
      const timestampSeconds = Math.floor(Date.now() / 1000);
      const send = (invocationId: string): Promise<unknown> =>
        deliver(app, example, { timestampSeconds, invocationId }).expect(202);
      await send('inv_1');
      const worker = startWorker(redis, queue, () => {});
      await jobIn(queue, 'completed');
      await worker.close();
      await send('inv_1');
      await send('inv_stolen');
      expect(await jobsOf(queue)).toHaveLength(1);
    });

    it('should recognise deliveries without an invocation by their bytes', async () => {
      const app = appOf(express, kiketEnqueue(queue));
      const timestampSeconds = Math.floor(Date.now() / 1000);
      await deliver(app, '{"event":"issue.created"}', { timestampSeconds }).expect(202);
      await deliver(app, '{"event":"issue.created"}', { timestampSeconds }).expect(202);
      await deliver(app, '{"event": "issue.created"}', { timestampSeconds }).expect(202);
      expect(await jobsOf(queue)).toHaveLength(2);
    });

    it('should refuse a guard, with nothing in Redis', async () => {
      const app = appOf(express, kiketEnqueue(queue));
      const response = await deliver(app, { ...example, event: 'workflow.before_transition' }).expect(500);
      expect(response.body).toMatchObject({ error: { code: 'guard.not_deferrable', retryable: true } });
      expect(await jobsOf(queue)).toEqual([]);
    });

    it('should refuse a delivery that reportOnly has passed on', async () => {
      const app = appOf(express, kiketEnqueue(queue), [
        kiketVerify('another secret', { reportOnly: true }),
        kiketParse(),
      ]);
      const response = await deliver(app).expect(401);
      expect(response.body).toMatchObject({ error: { code: 'delivery.unverified' } });
      expect(await jobsOf(queue)).toEqual([]);
    });

    it('should be a handler of kiketEvents', async () => {
      const app = endpoint(express, [
        kiket({ secret }),
        kiketEvents().on('workflow.*', kiketEnqueue(queue)),
        kiketErrorHandler(),
      ]);
      await deliver(app).expect(202, { accepted: true });
      expect(await jobsOf(queue)).toHaveLength(1);
    });
  });

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
