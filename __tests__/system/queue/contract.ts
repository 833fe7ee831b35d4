import {
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  kiketIdempotency,
  KiketMemoryStore,
  kiketParse,
  kiketVerify,
  NonRetryableError,
  RetryableError,
  type KiketApi,
  type KiketDelivery,
  type KiketHandler,
  type KiketJobDelivery,
  type KiketMiddleware,
} from 'kiket-express';
import type { KiketAccepted, KiketJobHandler, KiketWorker } from 'kiket-express/bullmq';
import type { KiketApiOptions } from 'kiket-express/api';
import { deliver, example, secret, type DeliverOptions } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeMajors, majors, type Express } from '../../support/express';
import { startFake } from '../../support/fake-kiket';
import { published } from '../../support/published';
import { turns } from '../../support/turns';
import { until } from '../../support/until';

/** The state of a job: `again` waits for its next attempt, `over` has failed and gets none. */
export type JobState = 'waiting' | 'active' | 'again' | 'completed' | 'over';

/** A job as the database has it. */
export interface StoredJob {
  readonly state: JobState;
  readonly data: unknown;
  /** Name and message of the latest failure. */
  readonly error: string | undefined;
}

/** Options of kiketWorker on every queue. */
export interface WorkerOptions {
  api?: KiketApiOptions;
  concurrency?: number;
  timeoutMs?: number;
  onError?: (error: unknown, job: KiketJobDelivery | undefined) => void | Promise<void>;
}

/** A queue with a name of its own, and its workers. */
export interface TestQueue {
  readonly enqueue: <P extends string>(delivery: KiketDelivery<P>) => Promise<KiketAccepted>;
  /** Starts a worker. It prints nothing, and is closed after the test. */
  start(fn: KiketJobHandler, options?: WorkerOptions): KiketWorker;
  /** Adds a job with the options of kiketEnqueue. */
  add(data?: object): Promise<void>;
  jobs(): Promise<readonly StoredJob[]>;
  /** Everything that the database holds of the queue. */
  contents(): Promise<string>;
}

/** The job data that kiketEnqueue writes for a small delivery. */
export const jobData = {
  event: 'issue.created',
  eventVersion: 'v1',
  payload: { event: 'issue.created', issue: { id: 1, project_id: 27 } },
  deliveryId: 'evt_1',
  invocationId: 'inv_1',
  projectId: 27,
  organizationId: 7,
  apiProjectId: 27,
};

/** A handler whose jobs run until they are released. */
export class Waiting {
  readonly jobs: KiketJobDelivery[] = [];
  readonly #releases: (() => void)[] = [];

  readonly run: KiketJobHandler = async (job) => {
    this.jobs.push(job);
    await new Promise<void>((resolve) => this.#releases.push(resolve));
  };

  release(): void {
    for (const release of this.#releases.splice(0)) release();
  }
}

function without(payload: object, ...fields: string[]): object {
  return Object.fromEntries(Object.entries(payload).filter(([field]) => !fields.includes(field)));
}

/** What holds for deliveries on every queue. `open` returns a queue that is empty. */
export function describeQueueContract(open: () => Promise<TestQueue>): void {
  let queue: TestQueue;
  beforeEach(async () => void (queue = await open()));

  const appOf = (
    express: Express,
    handler: KiketHandler = queue.enqueue,
    before: KiketMiddleware[] = [kiket({ secret })],
  ): ReturnType<Express> => endpoint(express, [...before, kiketHandler(handler), kiketErrorHandler()]);

  async function jobIn(...states: JobState[]): Promise<StoredJob> {
    let job: StoredJob | undefined;
    await until(
      async () => {
        job = (await queue.jobs()).find(({ state }) => states.includes(state));
        return job !== undefined;
      },
      `a job in the state ${states.join(' or ')}`,
    );
    return job!;
  }

  describeMajors('kiketEnqueue', (express) => {
    it('should respond with 202 once the queue has the job', async () => {
      await deliver(appOf(express), example, { invocationId: 'inv_1', organizationId: 7 }).expect(202, {
        accepted: true,
      });
      expect(await queue.jobs()).toEqual([
        {
          state: 'waiting',
          data: {
            event: 'workflow.sla_status',
            eventVersion: 'v1',
            payload: without(example, 'authentication', 'secrets'),
            invocationId: 'inv_1',
            projectId: example.issue.project_id,
            apiProjectId: example.issue.project_id,
            organizationId: 7,
          },
          error: undefined,
        },
      ]);
    });

    it('should be a handler of kiketEvents', async () => {
      const events = kiketEvents().on('workflow.*', queue.enqueue);
      await deliver(endpoint(express, [kiket({ secret }), events, kiketErrorHandler()])).expect(202);
      expect(await queue.jobs()).toHaveLength(1);
    });
  });

  describe('kiketEnqueue', () => {
    const express = majors['Express 5'];
    const sendTo =
      (app: ReturnType<Express>, payload: object = example) =>
      (options: DeliverOptions): Promise<unknown> =>
        deliver(app, payload, options).expect(202);

    it('should enqueue a delivery once for any number of attempts with any tokens', async () => {
      const app = appOf(express);
      for (const attempt of ['first', 'second', 'second']) {
        const authentication = { ...example.authentication, runtime_token: `rt_${attempt}` };
        await sendTo(app, { ...example, authentication })({ invocationId: 'inv_1' });
      }
      expect(await queue.jobs()).toHaveLength(1);
    });

    it('should enqueue a delivery once when its attempts come at the same time', async () => {
      const send = sendTo(appOf(express));
      await Promise.all(Array.from({ length: 10 }, () => send({ invocationId: 'inv_1' })));
      expect(await queue.jobs()).toHaveLength(1);
    });

    it('should enqueue other deliveries as well', async () => {
      const app = appOf(express);
      const common = { invocationId: 'inv_1', organizationId: 7 };
      await sendTo(app)(common);
      await sendTo(app, { ...example, metrics: { overdue_minutes: 1 } })(common);
      await sendTo(app, { ...example, context: { n: 2 } })({ ...common, invocationId: 'inv_2' });
      await sendTo(app, { ...example, context: { n: 3 } })({ ...common, organizationId: 8 });
      expect(await queue.jobs()).toHaveLength(4);
    });

    it.each([
      ['without a store', []],
      ['after kiketIdempotency', [kiketIdempotency(new KiketMemoryStore())]],
    ])('should enqueue the same bytes once with any forged headers, %s', async (_, stores) => {
      const send = sendTo(appOf(express, queue.enqueue, [kiket({ secret }), ...stores]));
      const timestampSeconds = Math.floor(Date.now() / 1000);
      for (const options of [
        { invocationId: 'inv_1', organizationId: 7 },
        { invocationId: 'inv_stolen', organizationId: 7 },
        { invocationId: 'inv_1', organizationId: 8 },
        { invocationId: 'inv_1', organizationId: 7, projectId: 8 },
      ]) {
        await send({ timestampSeconds, ...options });
      }
      expect(await queue.jobs()).toHaveLength(1);
    });

    it('should recognise a delivery after its job is done', async () => {
      const send = sendTo(appOf(express));
      const timestampSeconds = Math.floor(Date.now() / 1000);
      await send({ timestampSeconds, invocationId: 'inv_1' });
      const worker = queue.start(() => {});
      await jobIn('completed');
      await worker.close();
      await send({ timestampSeconds, invocationId: 'inv_1' });
      await send({ timestampSeconds, invocationId: 'inv_stolen' });
      expect(await queue.jobs()).toHaveLength(1);
    });

    it('should recognise deliveries without an invocation by their bytes', async () => {
      const app = appOf(express);
      const timestampSeconds = Math.floor(Date.now() / 1000);
      await deliver(app, '{"event":"issue.created"}', { timestampSeconds }).expect(202);
      await deliver(app, '{"event":"issue.created"}', { timestampSeconds }).expect(202);
      await deliver(app, '{"event": "issue.created"}', { timestampSeconds }).expect(202);
      expect(await queue.jobs()).toHaveLength(2);
    });

    it('should refuse a guard, with nothing in the queue', async () => {
      const response = await deliver(appOf(express), { ...example, event: 'workflow.before_transition' }).expect(500);
      expect(response.body).toMatchObject({ error: { code: 'guard.not_deferrable', retryable: true } });
      expect(await queue.jobs()).toEqual([]);
    });

    it('should refuse a delivery that reportOnly has passed on', async () => {
      const passOn = [kiketVerify('another secret', { reportOnly: true }), kiketParse()];
      const response = await deliver(appOf(express, queue.enqueue, passOn)).expect(401);
      expect(response.body).toMatchObject({ error: { code: 'delivery.unverified' } });
      expect(await queue.jobs()).toEqual([]);
    });
  });

  describe('kiketWorker', () => {
    it('should run the delivery, without its secrets', async () => {
      const jobs: KiketJobDelivery[] = [];
      queue.start((job) => void jobs.push(job));
      await queue.add();
      await jobIn('completed');
      const delivery = without(jobData, 'apiProjectId');
      expect(jobs).toHaveLength(1);
      expect({ ...jobs[0] }).toEqual(delivery);
      expect(JSON.parse(JSON.stringify(jobs[0]))).toEqual(delivery);
      expect(jobs[0]!.is('issue.created')).toBe(true);
      expect(jobs[0]!.is('issue.updated')).toBe(false);
      expect(jobs[0]!.signal.aborted).toBe(false);
    });

    it('should not store the result of the handler', async () => {
      queue.start(() => ({ text: 'canary' }));
      await queue.add();
      await jobIn('completed');
      expect(await queue.contents()).not.toContain('canary');
    });

    it.each([1, 3])('should run %i jobs at a time', async (concurrency) => {
      const waiting = new Waiting();
      queue.start(waiting.run, { concurrency });
      for (let i = 0; i <= concurrency; i++) await queue.add();
      await until(() => waiting.jobs.length === concurrency);
      expect((await queue.jobs()).map(({ state }) => state).sort()).toEqual([
        ...Array<string>(concurrency).fill('active'),
        'waiting',
      ]);
      waiting.release();
      await until(() => waiting.jobs.length === concurrency + 1);
      waiting.release();
    });

    it('should repeat an attempt that failed', async () => {
      let runs = 0;
      queue.start(() => {
        if (++runs === 1) throw new RangeError('boom');
      });
      await queue.add();
      expect(await jobIn('again', 'completed')).toMatchObject({ error: expect.stringContaining('boom') as string });
      await jobIn('completed');
      expect(runs).toBe(2);
    });

    it('should repeat an attempt whose error has a delay', async () => {
      queue.start(() => Promise.reject(new RetryableError('busy', { retryAfterSeconds: 120 })));
      await queue.add();
      expect(await jobIn('again')).toMatchObject({ error: 'RetryableError: busy' });
    });

    it('should not repeat a final failure, and keep its job', async () => {
      const run = jest.fn(() => Promise.reject(new NonRetryableError('The contact is unknown')));
      queue.start(run);
      await queue.add();
      expect(await jobIn('over')).toEqual({
        state: 'over',
        data: jobData,
        error: 'NonRetryableError: The contact is unknown',
      });
      expect(run).toHaveBeenCalledTimes(1);
    });

    it('should pass an error to onError as it was thrown, with its job', async () => {
      const told: unknown[][] = [];
      const thrown = new NonRetryableError('gone');
      queue.start(() => Promise.reject(thrown), { onError: (...args) => void told.push(args) });
      await queue.add();
      await jobIn('over');
      expect(told).toEqual([[thrown, expect.objectContaining({ event: 'issue.created', invocationId: 'inv_1' })]]);
      expect(told[0]![0]).toBe(thrown);
    });

    it.each<[string, () => void | Promise<void>]>([
      [
        'throws',
        () => {
          throw new Error('log is full');
        },
      ],
      ['rejects', () => Promise.reject(new Error('log is full'))],
    ])('should handle a failure in the same way when onError %s', async (_how, onError) => {
      queue.start(() => Promise.reject(new NonRetryableError('gone')), { onError });
      await queue.add();
      expect((await jobIn('over')).error).toBe('NonRetryableError: gone');
    });

    it.each([
      ['nothing', {}],
      ['an event that is not a string', { ...jobData, event: 1 }],
      ['no version', { ...jobData, eventVersion: undefined }],
      ['no payload', { ...jobData, payload: null }],
    ])('should not run a foreign job with %s, nor repeat it', async (_what, data) => {
      const told: unknown[][] = [];
      const run = jest.fn();
      queue.start(run, { onError: (...args) => void told.push(args) });
      await queue.add(data);
      expect((await jobIn('over')).error).toMatch(
        /^PayloadError: The job does not contain a delivery of kiketEnqueue\./,
      );
      expect(run).not.toHaveBeenCalled();
      expect(told).toEqual([[expect.objectContaining({ code: 'payload.invalid' }), undefined]]);
    });

    it('should abort the signal at its time limit, and fail the attempt while the handler still runs', async () => {
      const jobs: KiketJobDelivery[] = [];
      queue.start(
        (job) => {
          jobs.push(job);
          return new Promise(() => {});
        },
        { timeoutMs: 20 },
      );
      await queue.add();
      expect((await jobIn('again')).error).toBe('KiketError: The job did not end within 20 ms.');
      expect(jobs[0]!.signal.aborted).toBe(true);
      expect(jobs[0]!.signal.reason).toMatchObject({ code: 'deadline.exceeded', retryable: true });
    });

    it('should publish a failure after its time limit only to diagnostics', async () => {
      const late = new Error('too late');
      const messages = await published('kiket:late-error', async () => {
        let fail: (() => void) | undefined;
        queue.start(() => new Promise((_resolve, reject) => (fail ??= () => reject(late))), { timeoutMs: 20 });
        await queue.add();
        await jobIn('again');
        fail!();
        await turns();
      });
      expect(messages).toEqual([{ error: late, event: 'issue.created', eventVersion: 'v1', invocationId: 'inv_1' }]);
    });

    describe('with an API', () => {
      const apiOf = async (options: WorkerOptions, data: object, call: (api: KiketApi) => Promise<unknown>) => {
        queue.start((job) => call(job.api), options);
        await queue.add(data);
        return jobIn('completed', 'again', 'over');
      };

      it('should call for the project of the job, with the key of the extension', async () => {
        const fake = await startFake();
        await apiOf({ api: { apiKey: 'ext_fake', baseUrl: fake.url } }, jobData, (api) => api.slaEvents().list());
        expect(fake.requests).toMatchObject([{ path: '/api/v1/ext/sla/events', query: { project_id: '27' } }]);
      });

      it('should not call for a project that only a header names', async () => {
        const fake = await startFake();
        const data = { ...jobData, projectId: 99, apiProjectId: undefined };
        await apiOf({ api: { apiKey: 'ext_fake', baseUrl: fake.url } }, data, (api) => api.slaEvents().list());
        expect(fake.requests).toMatchObject([{ query: {} }]);
        expect(fake.requests[0]!.query).toEqual({});
      });

      it('should fail at the call, not at the start, without an API key', async () => {
        const job = await apiOf({}, jobData, (api) => api.rateLimit());
        expect(job.error).toMatch(/^KiketApiError: .*Set api\.apiKey\./);
      });
    });

    it('should leave no secret in the queue, after any outcome', async () => {
      const fake = await startFake({ apiKeys: { ext_canary_key: ['*'] } });
      fake.setSecret('ext-1', 'TOKEN', 'canary_of_the_api');
      const payload = {
        event: 'issue.created',
        issue: { id: 1, title: 'visible title' },
        secrets: { CRM: 'canary_of_the_payload' },
        authentication: { runtime_token: 'canary_runtime_token' },
      };
      await deliver(appOf(majors['Express 5']), payload, { headers: { 'X-Token': 'canary_header' } }).expect(202);
      let runs = 0;
      queue.start(
        async (job) => {
          const text = `${await job.api.extensionSecrets().get('TOKEN')} and ext_canary_key`;
          if (++runs === 1) throw Object.assign(new Error(text), { name: text });
          throw new NonRetryableError(text, { cause: text });
        },
        { api: { apiKey: 'ext_canary_key', baseUrl: fake.url, extensionId: 'ext-1' } },
      );
      await jobIn('over');
      const contents = await queue.contents();
      expect(contents).toContain('visible title');
      expect(contents).toContain('[redacted]');
      expect(contents).not.toContain('canary');
      expect(contents).not.toContain(secret);
    });

    it('should wait at close() for the running job, and take no other', async () => {
      const waiting = new Waiting();
      const worker = queue.start(waiting.run);
      await queue.add();
      await queue.add();
      await until(() => waiting.jobs.length === 1);
      let isClosed = false;
      const closed = worker.close().then(() => (isClosed = true));
      expect(worker.close()).toBe(worker.close());
      // Longer than it takes to find the other job.
      await queue.jobs();
      await queue.jobs();
      expect(isClosed).toBe(false);
      expect(waiting.jobs[0]!.signal.aborted).toBe(false);
      waiting.release();
      await closed;
      expect(waiting.jobs).toHaveLength(1);
      expect((await queue.jobs()).map(({ state }) => state).sort()).toEqual(['completed', 'waiting']);
    });

    it('should resolve close() at once without a running job', async () => {
      const worker = queue.start(() => {});
      await worker.close();
      await worker.close();
    });
  });
}
