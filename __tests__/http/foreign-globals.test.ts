import { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketIdempotency,
  kiketParse,
  kiketRespond,
  kiketVerify,
} from 'kiket-express';
import { Attempt } from '../../lib/queue/attempt';
import { attempt } from '../support/attempts';
import { deliver, secret } from '../support/deliver';
import { endpoint } from '../support/endpoint';
import { describeMajors } from '../support/express';
import { WatchedStore } from '../support/watched-store';

/** Like the signal of a DOM, not an EventTarget of Node. */
class ForeignController {
  readonly signal = {
    aborted: false,
    reason: undefined as unknown,
    listeners: new Set<(event: object) => void>(),
    addEventListener(_type: string, listener: (event: object) => void) {
      this.listeners.add(listener);
    },
    removeEventListener(_type: string, listener: (event: object) => void) {
      this.listeners.delete(listener);
    },
    throwIfAborted() {
      if (this.aborted) throw this.reason;
    },
  };

  abort(reason: unknown): void {
    const { signal } = this;
    Object.assign(signal, { aborted: true, reason });
    for (const listener of signal.listeners) listener({ type: 'abort', target: signal });
  }
}

/** The globals of a DOM, which replace Node's as in Jest's jsdom. */
function putGlobals(): void {
  const { setTimeout: start } = globalThis;
  const startDom = (...args: Parameters<typeof start>): number => Number(start(...args).unref());
  jest.spyOn(globalThis, 'AbortController', 'get').mockReturnValue(ForeignController as never);
  jest.spyOn(globalThis, 'setTimeout').mockImplementation(startDom as never);
}

afterEach(() => jest.restoreAllMocks());

describeMajors('with the globals of a DOM', (express) => {
  it('should pass a handler its signal and its API client', async () => {
    // undici itself accepts only Node's timers.
    const response = { statusCode: 200, headers: {}, body: Readable.from([Buffer.from('{"found":1}')]) };
    const api = { apiKey: 'ext_key', dispatcher: { request: () => Promise.resolve(response) } };
    putGlobals();
    const handler = kiketHandler(async (delivery) => {
      const { aborted } = delivery.signal;
      return { aborted, body: await delivery.api.request('GET', '/api/v1/ext/issues') };
    });
    const app = endpoint(express, [kiket({ secret, api }), handler, kiketErrorHandler()]);
    await deliver(app).expect(200, { aborted: false, body: { found: 1 } });
  });

  it('should abort the signal at the deadline', async () => {
    putGlobals();
    const reasons: unknown[] = [];
    const handler = kiketHandler(
      ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            reasons.push(signal.reason);
            resolve(undefined);
          });
        }),
    );
    const stages = [kiketVerify(secret), kiketParse(), kiketRespond({ deadlineMs: 50 })];
    await deliver(endpoint(express, [...stages, handler, kiketErrorHandler()])).expect(503);
    expect(reasons).toMatchObject([{ code: 'deadline.exceeded' }]);
  });

  it('should claim and record a delivery', async () => {
    putGlobals();
    const store = new WatchedStore();
    const stages = [kiketVerify(secret), kiketParse(), kiketIdempotency(store)];
    const plain = (_req: Request, res: Response) => void res.json({ ok: true });
    const app = endpoint(express, [...stages, plain, kiketErrorHandler()]);
    await attempt(app).expect(200, { ok: true });
    await attempt(app).expect(200, { ok: true }).expect('Kiket-Replayed', 'true');
  });
});

describe('with the globals of a DOM', () => {
  it('should pass a job its signal', () => {
    putGlobals();
    const attempt = new Attempt(1000);
    attempt.abort('the reason');
    expect(attempt.signal).toMatchObject({ aborted: true, reason: 'the reason' });
  });
});
