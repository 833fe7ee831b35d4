import type { RequestListener } from 'node:http';
import {
  allow,
  deny,
  kiketEvents,
  kiketHandler,
  KiketMemoryStore,
  RetryableError,
  type KiketHandler,
  type KiketStore,
} from 'kiket-express';
import { attempt, once } from '../../support/attempts';
import { example } from '../../support/deliver';
import { majors } from '../../support/express';
import { until } from '../../support/until';
import { WatchedStore } from '../../support/watched-store';

const express = majors['Express 5'];

const forged = { invocationId: 'forged' };

/** The contract's example as an attempt of its own. */
function attemptNumber(number: number): typeof example {
  return { ...example, authentication: { ...example.authentication, runtime_token: `token_of_${number}` } };
}

describe('the bytes of an attempt', () => {
  function receiving(handler: KiketHandler, store: KiketStore = new KiketMemoryStore()): RequestListener {
    return once(express, store, kiketHandler(handler));
  }

  /** A handler that fails `times` times, and then replies with the number of its runs. */
  function failing(times: number): { handler: KiketHandler; runs: () => number } {
    let runs = 0;
    const handler = (): object => {
      if (++runs <= times) throw new RetryableError('Not yet');
      return { runs };
    };
    return { handler, runs: () => runs };
  }

  it('should get the stored response under another invocation, once a later attempt has succeeded', async () => {
    const { handler, runs } = failing(1);
    const app = receiving(handler);
    await attempt(app, attemptNumber(1)).expect(503);
    await attempt(app, attemptNumber(2)).expect(200, { runs: 2 });
    for (const options of [forged, { organizationId: 8 }, {}]) {
      await attempt(app, attemptNumber(1), options).expect('Kiket-Replayed', 'true').expect(200, { runs: 2 });
    }
    expect(runs()).toBe(2);
  });

  it('should run again after a retryable response', async () => {
    const { handler } = failing(2);
    const app = receiving(handler);
    await attempt(app).expect(503);
    await attempt(app).expect(503);
    await attempt(app).expect(200, { runs: 3 });
    await attempt(app).expect('Kiket-Replayed', 'true').expect(200, { runs: 3 });
  });

  it('should run for the delivery of the first attempt, with any headers', async () => {
    const { handler, runs } = failing(1);
    const app = receiving(handler);
    await attempt(app, attemptNumber(1)).expect(503);
    await attempt(app, attemptNumber(1), forged).expect(200, { runs: 2 });
    await attempt(app, attemptNumber(2)).expect('Kiket-Replayed', 'true').expect(200, { runs: 2 });
    expect(runs()).toBe(2);
  });

  it.each([forged, { organizationId: 8 }, { headers: { 'X-Kiket-Invocation': undefined } }])(
    'should not run under other headers after 503 delivery.in_progress: %j',
    async (options) => {
      let release!: (reply: object) => void;
      const store = new WatchedStore();
      const reply = new Promise<object>((resolve) => (release = resolve));
      const app = receiving(() => reply, store);
      const first = attempt(app, attemptNumber(1)).expect(200, { runs: 1 });
      const response = first.then();
      await store.called('claim');
      await attempt(app, attemptNumber(2)).expect(503);
      await store.called('complete');
      await attempt(app, attemptNumber(2), options).expect(503);
      release({ runs: 1 });
      await response;
      await attempt(app, attemptNumber(2), options).expect('Kiket-Replayed', 'true').expect(200, { runs: 1 });
    },
  );

  it('should stay bound while the delivery is handled again', async () => {
    const { handler } = failing(1);
    const store = new WatchedStore();
    const app = receiving(handler, store);
    await attempt(app, attemptNumber(1)).expect(503);
    await attempt(app, attemptNumber(1)).expect(200, { runs: 2 });
    const [ofAttempt, ofDelivery] = store.calls[0]!.keys;
    const claimed = store.callsOf('claim').map(({ keys }) => keys);
    expect(claimed).toEqual([[ofAttempt, ofDelivery], [ofAttempt, ofDelivery], [ofDelivery]]);
    expect(store.callsOf('complete').map(({ keys }) => keys)).toEqual([[ofAttempt], [ofDelivery]]);
  });

  it('should be 503 store.unavailable when the store returns a binding for a delivery, and release that', async () => {
    const store = new WatchedStore();
    store.instead.claim = () => Promise.resolve({ state: 'recorded', record: '{"boundTo":"another"}' });
    const { text } = await attempt(receiving(() => ({}), store)).expect(503);
    expect(text).toContain('store.unavailable');
    await until(() => store.callsOf('release').length === 1);
    expect(store.callsOf('release')[0]!.keys).toEqual(['another']);
  });
});

describe('a guard whose body names no event', () => {
  const eventless = { ...example, event: undefined };
  const guard = { event: 'workflow.before_transition' };

  function application(decide: () => ReturnType<typeof allow>): RequestListener {
    return once(
      express,
      new KiketMemoryStore(),
      kiketEvents()
        .on('workflow.before_transition', decide)
        .on('issue.created', () => {}),
    );
  }

  it('should be 500 reply.missing when the stored response is that to another event', async () => {
    const app = application(() => deny('Not yet'));
    await attempt(app, eventless, { event: 'issue.created' }).expect(200, '');
    const { text } = await attempt(app, eventless, guard).expect(500);
    expect(text).toContain('reply.missing');
  });

  it('should get its own decision again, and so should the other event', async () => {
    const app = application(() => deny('Not yet'));
    const denied = { status: 'deny', message: 'Not yet' };
    await attempt(app, eventless, guard).expect(200, denied);
    await attempt(app, eventless, guard).expect('Kiket-Replayed', 'true').expect(200, denied);
    await attempt(app, eventless, { event: 'issue.created' }).expect('Kiket-Replayed', 'true').expect(200, denied);
  });
});
