import { createServer, type RequestListener } from 'node:http';
import fc from 'fast-check';
import type { Request, RequestHandler, Response } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketIdempotency,
  kiketParse,
  kiketRawBody,
  kiketRespond,
  kiketVerify,
  type KiketMiddleware,
  type KiketOptions,
  type KiketStore,
} from 'kiket-express';
import { attemptBytes } from '../support/attempts';
import { Connection, type ReceivedResponse } from '../support/connection';
import { secret } from '../support/deliver';
import { endpoint, type Stage } from '../support/endpoint';
import { majors } from '../support/express';
import { turns } from '../support/turns';
import { WatchedStore } from '../support/watched-store';

/** Thrown values: errors, other values, and values that throw when they are read. */
const thrown: Record<string, () => unknown> = {
  'an Error': () => new Error('thrown'),
  undefined: () => undefined,
  "'route'": () => 'route',
  'a proxy that throws': () => new Proxy({}, { get: fail, has: fail, getPrototypeOf: fail }),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
};

function fail(): never {
  throw new Error('trap');
}

/** Places at which user code or another package can fail. `raise` throws, or returns a promise that rejects. */
interface Place {
  /** True when Express itself catches the value. Its last handler reads the value outside of any `try`. */
  readonly isOfExpress?: true;
  readonly options?: (raise: () => never) => Partial<KiketOptions>;
  readonly before?: (raise: () => never) => RequestHandler;
  readonly between?: (raise: () => never) => RequestHandler;
  readonly handler?: (raise: () => never) => Stage;
  readonly store?: (raise: () => never) => Partial<KiketStore>;
}

const ok: Stage = kiketHandler(() => Promise.resolve({ ok: true }));

const rejecting = (raise: () => never) => (): Promise<never> => {
  try {
    return raise();
  } catch (error) {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- anything may be thrown
    return Promise.reject(error);
  }
};

const accessor = (name: string, raise: () => never): RequestHandler => {
  return (req, _res, next) => {
    Object.defineProperty(req, name, { get: raise, set: raise, configurable: true });
    next();
  };
};

const wrapped = (name: 'end' | 'setHeader' | 'writeHead', raise: () => never): RequestHandler => {
  return (_req, res, next) => {
    const original = res[name].bind(res) as (...args: unknown[]) => never;
    let calls = 0;
    res[name] = (...args: unknown[]): never => (++calls === 1 ? raise() : original(...args));
    next();
  };
};

const places: Record<string, Place> = {
  'the secret function': { options: (raise) => ({ secret: raise }) },
  'the secret function, later': { options: (raise) => ({ secret: () => turns(1).then(raise) }) },
  'the clock': { options: (raise) => ({ now: raise }) },
  onRefused: { options: (raise) => ({ secret: 'another', onRefused: raise }) },
  'onRefused, later': { options: (raise) => ({ secret: 'another', onRefused: rejecting(raise) }) },
  onCompleted: { options: (raise) => ({ onCompleted: raise }) },
  'the onCompleted of a deadline': {
    options: (raise) => ({ onCompleted: raise, deadlineMs: 50 }),
    handler: () => () => undefined,
  },
  'req.rawBody': { before: (raise) => accessor('rawBody', raise) },
  'req.body': { before: (raise) => accessor('body', raise) },
  'req.body that cannot be set': {
    before: () => (req, _res, next) => {
      Object.defineProperty(req, 'body', { get: () => undefined, configurable: true });
      next();
    },
  },
  'the first call of res.end': { before: (raise) => wrapped('end', raise) },
  'the first call of res.setHeader': { before: (raise) => wrapped('setHeader', raise) },
  'the first call of res.writeHead': { before: (raise) => wrapped('writeHead', raise) },
  'the first call of res.end, wrapped after kiket()': { between: (raise) => wrapped('end', raise) },
  'req.kiket that is replaced': {
    between: () => (req, _res, next) => {
      req.kiket = { event: 'mine' };
      next();
    },
  },
  'req.kiket that is deleted before a plain handler': {
    between: () => (req, _res, next) => {
      delete req.kiket;
      next();
    },
    handler: () => (_req: Request, res: Response) => void res.json({ ok: true }),
  },
  'a middleware': { isOfExpress: true, between: (raise) => raise },
  'the handler': { handler: (raise) => kiketHandler(raise) },
  'the handler, later': { handler: (raise) => kiketHandler(() => turns(1).then(raise)) },
  'a thenable': { handler: (raise) => kiketHandler(() => ({ then: raise })) },
  'an accessor of the reply': {
    handler: (raise) => kiketHandler(() => Object.defineProperty({}, 'a', { get: raise, enumerable: true })),
  },
  'toJSON of the reply': { handler: (raise) => kiketHandler(() => ({ toJSON: raise })) },
  'a plain handler': { isOfExpress: true, handler: (raise) => raise },
  'claim() of the store': { store: (raise) => ({ claim: raise }) },
  'claim() of the store, later': { store: (raise) => ({ claim: rejecting(raise) }) },
  'complete() of the store': { store: (raise) => ({ complete: raise }) },
  'complete() of the store, later': { store: (raise) => ({ complete: rejecting(raise) }) },
  'release() of the store': {
    store: (raise) => ({ release: raise, complete: raise }),
    handler: () => kiketHandler(() => Promise.reject(new Error('Later'))),
  },
  'an outcome of the store': {
    store: (raise) => ({ claim: () => Promise.resolve(Object.defineProperty({}, 'state', { get: raise }) as never) }),
  },
};

type Build = (place: Place, raise: () => never, hasErrorHandler: boolean) => RequestListener;

function chainOf(place: Place, raise: () => never): { first: KiketMiddleware; rest: Stage[] } {
  const store = new WatchedStore();
  Object.assign(store.instead, place.store?.(raise));
  const first = kiket({ secret, ...place.options?.(raise) });
  const between = place.between === undefined ? [] : [place.between(raise)];
  return { first, rest: [kiketIdempotency(store), ...between, place.handler?.(raise) ?? ok] };
}

const express =
  (major: (typeof majors)[keyof typeof majors]): Build =>
  (place, raise, hasErrorHandler) => {
    const { first, rest } = chainOf(place, raise);
    return endpoint(major, [
      ...(place.before === undefined ? [] : [place.before(raise)]),
      first,
      ...rest,
      ...(hasErrorHandler ? [quiet] : []),
    ]);
  };

const quiet = kiketErrorHandler({ onError: () => undefined });

/** A framework that calls the next middleware synchronously in `next`, and does not catch errors. */
const bare: Build = (place, raise, hasErrorHandler) => {
  const { first, rest } = chainOf(place, raise);
  const stages = [...(place.before === undefined ? [] : [place.before(raise)]), first, ...rest] as KiketMiddleware[];
  return (req, res) => {
    Object.assign(req, { app: { get: () => 'test' } });
    Object.assign(res, { json: (value: object) => res.end(JSON.stringify(value)) });
    const run = (at: number): void =>
      stages[at]!(req, res, (error) => {
        if (error === undefined) return run(at + 1);
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- anything may be thrown
        if (!hasErrorHandler) throw error;
        quiet(error, req, res, () => fail());
      });
    try {
      run(0);
    } catch {
      // The framework itself responds to a synchronous throw.
      if (!res.headersSent) res.writeHead(500, { 'Content-Length': '0' }).end();
    }
  };
};

const frameworks: Record<string, Build> = {
  'Express 4': express(majors['Express 4']),
  'Express 5': express(majors['Express 5']),
  'a framework that catches nothing': bare,
};

describe('any thrown value', () => {
  // Jest fails a test for an uncaught exception or an unhandled rejection.
  it('should end in one response, and not in an uncaught error, wherever it is thrown', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(frameworks)),
        fc.constantFrom(...Object.keys(places)),
        fc.constantFrom(...Object.keys(thrown)),
        fc.boolean(),
        async (framework, place, what, hasErrorHandler) => {
          const raise = (): never => {
            throw thrown[what]!();
          };
          const listener = frameworks[framework]!(
            places[place]!,
            raise,
            hasErrorHandler || places[place]!.isOfExpress === true,
          );
          const responses: (ReceivedResponse | undefined)[] = [];
          const { head, body } = attemptBytes();
          await Connection.to(createServer(listener), async (connection) => {
            responses.push(await connection.write(head, body).response());
            await turns();
          });
          // The end of a connection counts as well: Kiket tries again.
          expect(responses).toHaveLength(1);
          if (responses[0] !== undefined) expect(responses[0].status).toBeGreaterThanOrEqual(200);
          expect(responses[0]?.text ?? '').not.toMatch(/\n {4}at |trap/);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('should reach the error handler of the service once, from each middleware by itself', async () => {
    for (const major of Object.values(majors)) {
      for (const stages of [
        [kiketRawBody(), kiketVerify(secret), kiketParse(), kiketRespond()],
        [kiketVerify(secret), kiketParse()],
      ]) {
        let errors = 0;
        const app = endpoint(major, [
          ...stages,
          (() => {
            throw new Error('thrown');
          }) as RequestHandler,
          (_error: unknown, _req: Request, res: Response, _next: unknown) => (errors++, void res.status(500).json({})),
        ]);
        const { head, body } = attemptBytes();
        await Connection.to(app, async (connection) => {
          expect(await connection.write(head, body).response()).toMatchObject({ status: 500 });
        });
        expect(errors).toBe(1);
      }
    }
  });
});
