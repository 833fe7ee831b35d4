import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express';
import createError from 'http-errors';
import {
  allow,
  deny,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  NonRetryableError,
  pending,
  RetryableError,
  type KiketReply,
  type KiketSecrets,
} from 'kiket-express';
import { attempt, once, type OnceOptions } from '../../support/attempts';
import { example, secret, type DeliverOptions } from '../../support/deliver';
import type { Stage } from '../../support/endpoint';
import { majors, type Express } from '../../support/express';
import { WatchedStore } from '../../support/watched-store';

const express = majors['Express 5'];

const guard = { ...example, event: 'workflow.before_transition' };
const fail = (error: unknown): Stage => kiketHandler(() => Promise.reject(error as Error));

/** Final errors, which are stored. */
const recorded: Record<string, [status: number, Stage]> = {
  'a NonRetryableError': [422, fail(new NonRetryableError('No', { details: [{ reason: 'because' }] }))],
  'a NonRetryableError with a code of its own': [422, fail(new NonRetryableError('No', { code: 'crm.unknown' }))],
  'an error for the caller': [409, fail(createError(409, 'No', { headers: { 'Retry-After': '7' } }))],
  'res.kiket.reject()': [422, (_req: Request, res: Response) => res.kiket.reject('No')],
  'next(error)': [422, (_req: Request, _res: Response, next: NextFunction) => next(new NonRetryableError('No'))],
  'a thrown error': [
    422,
    () => {
      throw new NonRetryableError('No');
    },
  ],
  'a response of its own': [418, (_req: Request, res: Response) => void res.status(418).json({ own: true })],
};

/** Errors after which the next attempt runs. */
const released: Record<string, [status: number, Stage]> = {
  'a RetryableError': [503, fail(new RetryableError('Not now', { retryAfterSeconds: 3 }))],
  'an unknown error': [500, fail(new Error('Broken'))],
  'undefined, thrown': [500, fail(undefined)],
  'an error for the caller of 429': [429, fail(createError(429, 'Slow down'))],
  'a missing secret': [422, kiketHandler(({ secrets }) => ({ value: secrets.require('NONE') }))],
  'a missing scope': [403, kiketHandler(({ auth }) => void auth.requireScopes('none.at.all'))],
  'an event without a handler': [404, kiketHandler('issue.created', () => ({}))],
  'an invalid reply': [500, kiketHandler(() => 'text' as unknown as object)],
  'res.kiket.retry()': [503, (_req: Request, res: Response) => res.kiket.retry('Not now')],
  'next(error)': [500, (_req: Request, _res: Response, next: NextFunction) => next(new Error('Broken'))],
  'a response of its own, 500': [500, (_req: Request, res: Response) => void res.status(500).json({ own: true })],
  'a response of its own, 429': [429, (_req: Request, res: Response) => void res.status(429).end()],
  'kiketEvents without a handler': [404, kiketEvents().on('issue.created', () => ({}))],
  'kiketEvents without the scope': [403, kiketEvents().on('*', { scopes: ['none'] }, () => ({}))],
};

const own: ErrorRequestHandler = (error: { status?: number }, _req, res, _next) =>
  void res.status(error.status ?? 500).json({ own: true });

/** Ways in which a service handles errors. */
const errorHandlers: Record<string, Stage[]> = {
  kiketErrorHandler: [kiketErrorHandler()],
  'a custom error handler': [own],
  'Express itself': [],
};

interface ErrorRow {
  readonly name: string;
  readonly status: number;
  readonly handler: Stage;
  readonly by: string;
  readonly after: Stage[];
  readonly major: keyof typeof majors;
}

/** Each outcome with each error handler, on the majors of Express in turn. */
function pairsOf(outcomes: typeof recorded): ErrorRow[] {
  return Object.entries(errorHandlers).flatMap(([by, after], i) =>
    Object.entries(outcomes).map(([name, [status, handler]], j): ErrorRow => {
      const major = (i + j) % 2 === 0 ? 'Express 4' : 'Express 5';
      return { name, status, handler, by, after, major };
    }),
  );
}

describe('kiketIdempotency', () => {
  function serve(
    handler: Stage | Stage[],
    options: OnceOptions = {},
    major: Express = express,
  ): { app: ReturnType<typeof once>; store: WatchedStore; runs: () => number } {
    const store = new WatchedStore();
    let runs = 0;
    const count: RequestHandler = (_req, _res, next) => (runs++, next());
    return { app: once(major, store, [count, handler].flat(), options), store, runs: () => runs };
  }

  it.each(pairsOf(recorded))('should replay a final error: $name, handled by $by ($major)', async (row) => {
    const { app, store, runs } = serve(row.handler, { after: row.after }, majors[row.major]);
    const first = await attempt(app).expect(row.status);
    const second = await attempt(app).expect(row.status).expect('Kiket-Replayed', 'true');
    expect([second.text, second.headers['content-type'], second.headers['retry-after']]).toEqual([
      first.text,
      first.headers['content-type'],
      first.headers['retry-after'],
    ]);
    expect(runs()).toBe(1);
    expect(store.callsOf('complete')[0]).toMatchObject({ ttlMs: 172_800_000 });
  });

  it.each(pairsOf(released))('should let the next attempt run after $name, handled by $by ($major)', async (row) => {
    const { app, store, runs } = serve(row.handler, { after: row.after }, majors[row.major]);
    await attempt(app).expect(row.status);
    const second = await attempt(app).expect(row.status);
    expect(second.headers['kiket-replayed']).toBeUndefined();
    expect(runs()).toBe(2);
    // The same bytes come again, so the second claim finds to which delivery they are bound.
    expect(store.methods).toEqual(['claim', 'complete', 'release', 'claim', 'claim', 'release']);
    const [claimed, bound, freed] = store.calls;
    expect([...bound!.keys, ...freed!.keys]).toEqual(claimed!.keys);
    expect([bound!.owner, freed!.owner]).toEqual([claimed!.owner, claimed!.owner]);
  });

  it('should run for a redelivery once the secret has been set, and then replay', async () => {
    const { app, runs } = serve(kiketHandler(({ secrets }) => ({ length: secrets.require('CRM_KEY').length })));
    await attempt(app, example, { timestampSeconds: undefined }).expect(422);
    const added = { ...example, secrets: { CRM_KEY: 'canary' } };
    await attempt(app, added).expect(200, { length: 6 });
    await attempt(app).expect(200, { length: 6 }).expect('Kiket-Replayed', 'true');
    expect(runs()).toBe(2);
  });

  it('should store a success that follows an error secret.missing', async () => {
    const { app, runs } = serve([
      (_req: Request, _res: Response, next: NextFunction) =>
        next(new NonRetryableError('No', { code: 'secret.missing' })),
      (_error: unknown, _req: Request, res: Response, _next: NextFunction) => void res.json({ ok: true }),
    ]);
    await attempt(app).expect(200);
    await attempt(app).expect(200).expect('Kiket-Replayed', 'true');
    expect(runs()).toBe(1);
  });

  describe('a response of a handler that read a missing secret', () => {
    const prompted = { ...example, secret_status: { missing: ['CRM_KEY'] } };
    const learns: Record<string, (secrets: KiketSecrets) => unknown> = {
      'secrets.missing': (secrets) => secrets.missing,
      'secrets.get()': (secrets) => secrets.get('CRM_KEY'),
      'secrets.require(), which it catches': (secrets) => {
        try {
          secrets.require('CRM_KEY');
        } catch {
          // The handler asks the operator instead.
        }
      },
    };

    it.each(Object.entries(learns))('should not be replayed, once the secret has been set: %s', async (_by, learn) => {
      const store = new WatchedStore();
      let runs = 0;
      const handler = kiketHandler(({ secrets }) => {
        learn(secrets);
        return { run: ++runs };
      });
      const app = once(express, store, handler);
      await attempt(app, prompted).expect(200, { run: 1 });
      await attempt(app, prompted).expect(200, { run: 2 });
      const added = { ...example, secrets: { CRM_KEY: 'key_of_the_crm' }, secret_status: { missing: [] } };
      await attempt(app, added).expect(200, { run: 3 });
      await attempt(app, added).expect(200, { run: 3 }).expect('Kiket-Replayed', 'true');
    });

    it('should be replayed when the handler read another secret only, or none', async () => {
      for (const look of [() => undefined, (secrets: KiketSecrets) => secrets.get('OTHER')]) {
        const app = once(
          express,
          new WatchedStore(),
          kiketHandler(({ secrets }) => (look(secrets), {})),
        );
        await attempt(app, prompted).expect(200);
        await attempt(app, prompted).expect(200).expect('Kiket-Replayed', 'true');
      }
    });
  });

  it('should run kiketEvents once, and replay its response', async () => {
    let runs = 0;
    const { app } = serve(
      kiketEvents()
        .on('workflow.*', () => ({ run: ++runs }))
        .otherwise('ignore'),
    );
    await attempt(app).expect(200, { run: 1 });
    await attempt(app).expect(200, { run: 1 }).expect('Kiket-Replayed', 'true');
  });

  describe('the response to a guard event', () => {
    const decide = (decision: () => KiketReply<'workflow.before_transition'>): Stage =>
      kiketHandler('workflow.before_transition', decision);
    const send = (app: ReturnType<typeof once>, options?: DeliverOptions): ReturnType<typeof attempt> =>
      attempt(app, guard, options);

    it.each<[string, Stage, object]>([
      [
        'allow()',
        decide(() => allow({ outputFields: { a: 'b' } })),
        { status: 'allow', metadata: { output_fields: { a: 'b' } } },
      ],
      ['deny()', decide(() => deny('No')), { status: 'deny', message: 'No' }],
      ['res.kiket.deny()', (_req: Request, res: Response) => res.kiket.deny('No'), { status: 'deny', message: 'No' }],
      ['res.json()', (_req: Request, res: Response) => void res.json({ status: 'allow' }), { status: 'allow' }],
      [
        'kiketEvents',
        kiketEvents().on('workflow.before_transition', () => deny('No')),
        { status: 'deny', message: 'No' },
      ],
    ])('should be stored for guardTtlSeconds: %s', async (_name, handler, response) => {
      const { app, store, runs } = serve(handler, { ttlSeconds: 1000, guardTtlSeconds: 7.5 });
      await send(app).expect(200, response);
      await send(app).expect(200, response).expect('Kiket-Replayed', 'true');
      expect(runs()).toBe(1);
      expect(store.callsOf('complete').map(({ ttlMs }) => ttlMs)).toEqual([7500]);
      await send(app, { scheme: 'body' }).expect(200, response).expect('Kiket-Replayed', 'true');
      expect(store.callsOf('complete').map(({ ttlMs }) => ttlMs)).toEqual([7500, 1_000_000]);
    });

    it('should be stored for 300 s by default', async () => {
      const { app, store } = serve(decide(() => allow()));
      await send(app).expect(200);
      expect(store.callsOf('complete')[0]).toMatchObject({ ttlMs: 300_000 });
    });

    it('should be stored for guardTtlSeconds when it is an error', async () => {
      const { app, store } = serve(fail(new NonRetryableError('No')));
      await send(app).expect(422);
      await send(app).expect(422).expect('Kiket-Replayed', 'true');
      expect(store.callsOf('complete')[0]).toMatchObject({ ttlMs: 300_000 });
    });

    it.each<[string, Stage]>([
      ['it is pending', decide(() => pending('Wait'))],
      ['it is pending, by a plain handler', (_req: Request, res: Response) => res.kiket.pending('Wait')],
      [
        'it is pending, by a plain handler in pieces',
        (_req: Request, res: Response) => (res.write('{"status":'), void res.end('"pending"}')),
      ],
      ['it is too large', decide(() => deny('x'.repeat(70_000)))],
      ['it quotes a secret', decide(() => deny('canary_secret_value'))],
      [
        'it quotes a secret in a header',
        (_req: Request, res: Response) => void res.set('X-Own', 'canary_secret_value').json({ status: 'deny' }),
      ],
      [
        'it is compressed',
        (_req: Request, res: Response) => void res.set('Content-Encoding', 'x').json({ status: 'deny' }),
      ],
    ])('should not be stored when %s', async (_name, handler) => {
      const { app, store, runs } = serve(handler);
      const payload = { ...guard, secrets: { A: 'canary_secret_value' } };
      await attempt(app, payload).expect(200);
      expect(store.methods).toEqual(['claim', 'complete', 'release']);
      await attempt(app, payload).expect(200);
      expect(runs()).toBe(2);
    });

    it.each<[string, number, (res: Response) => unknown]>([
      ['it is empty', 200, (res) => res.end()],
      ['it is a 204', 204, (res) => res.status(204).json({ status: 'deny' })],
      ['it is another string', 200, (res) => res.end('No')],
    ])('should not be stored when %s, without a decision', async (_name, status, act) => {
      const { app, store, runs } = serve((_req: Request, res: Response) => void act(res));
      await send(app).expect(status);
      await store.called('release');
      await send(app).expect(status);
      expect(runs()).toBe(2);
    });

    it.each([200, 204])('should be 500 when the store has an empty %d of an earlier version', async (status) => {
      const { app, store, runs } = serve(decide(() => allow()));
      const record = JSON.stringify({ status, headers: {}, isOfGuard: true, body: '' });
      store.instead.claim = () => Promise.resolve({ state: 'recorded', record });
      const { text } = await send(app).expect(500);
      expect(text).toContain('reply.missing');
      expect(runs()).toBe(0);
    });

    it('should be stored for ttlSeconds for any other event', async () => {
      const { app, store } = serve(
        kiketHandler(() => pending('Wait')),
        { ttlSeconds: 12 },
      );
      await attempt(app).expect(200);
      expect(store.callsOf('complete')[0]).toMatchObject({ ttlMs: 12_000 });
    });
  });

  describe('a response that quotes', () => {
    const token = 'canary_runtime_token';
    const payload = {
      ...example,
      authentication: { ...example.authentication, runtime_token: token },
      secrets: {
        A: 'canary_delivery_secret',
        B: 'line one\nline two of it',
        C: 'quo"ted\\canary',
        D: 'canäry_🚀_value',
      },
    };
    const options: OnceOptions = {
      fallbackSecrets: { F: 'canary_fallback_secret' },
      api: { apiKey: 'canary_api_key' },
    };
    const quotes: Record<string, string> = {
      'a secret of the delivery': 'canary_delivery_secret',
      'a line of a secret': 'line two of it',
      'a secret of several lines': 'line one\nline two of it',
      'a secret with quotes': 'quo"ted\\canary',
      'a secret beyond ASCII': 'canäry_🚀_value',
      'the runtime token': token,
      'a fallback secret': 'canary_fallback_secret',
      'the delivery secret': secret,
      'the key of the API': 'canary_api_key',
    };
    const ways: Record<string, (quote: string) => Stage> = {
      'in a reply': (quote) => kiketHandler(() => ({ found: [quote] })),
      'as a key of a reply': (quote) => kiketHandler(() => ({ [quote]: 1 })),
      'in a string': (quote) => (_req: Request, res: Response) => void res.end(`It is ${quote}.`),
      'in JSON': (quote) => (_req: Request, res: Response) => void res.json({ found: quote }),
      'in JSON within JSON': (quote) => (_req: Request, res: Response) => void res.end(`"${JSON.stringify(quote)}`),
      'in bytes': (quote) => (_req: Request, res: Response) => void res.send(Buffer.from(quote)),
      'in pieces': (quote) => (_req: Request, res: Response) => (
        res.write(quote.slice(0, 4)),
        void res.end(quote.slice(4))
      ),
    };

    /** Each quote in one way, each way with one quote, and JSON with escaped characters. */
    const rows: [quote: string, way: string][] = [
      ...Object.keys(quotes).map((quote): [string, string] => [quote, 'in a reply']),
      ...Object.keys(ways).map((way): [string, string] => ['a secret of the delivery', way]),
      ...['in JSON', 'as a key of a reply', 'in JSON within JSON'].flatMap((way): [string, string][] => [
        ['a secret with quotes', way],
        ['a secret of several lines', way],
      ]),
    ];

    it.each(rows)('%s should be stored by its status: %s', async (quote, way) => {
      const { app, store } = serve(ways[way]!(quotes[quote]!), options);
      await attempt(app, payload).expect(200);
      await attempt(app, payload).expect(200, '').expect('Kiket-Replayed', 'true');
      expect(store.records).toEqual([JSON.stringify({ status: 200, headers: {}, body: '' })]);
    });

    it.each(['canary_delivery_secret', token, secret])(
      '%s in a header should be stored by its status',
      async (quote) => {
        const { app, store } = serve(
          (_req: Request, res: Response) => void res.status(201).set('X-Own', ['a', quote]).end('text'),
          options,
        );
        await attempt(app, payload).expect(201);
        await attempt(app, payload).expect(201, '').expect('Kiket-Replayed', 'true');
        expect(store.records).toEqual([JSON.stringify({ status: 201, headers: {}, body: '' })]);
      },
    );

    it('a secret in the message of an error should be stored without it', async () => {
      const { app, store } = serve(fail(new NonRetryableError('It is canary_delivery_secret')), options);
      const first = await attempt(app, payload).expect(422);
      const second = await attempt(app, payload).expect(422).expect('Kiket-Replayed', 'true');
      expect(second.text).toBe(first.text);
      expect(store.records.join()).not.toContain('canary');
    });

    it('a secret of fewer than six characters should be replayed', async () => {
      const { app } = serve(kiketHandler(() => ({ found: 'short' })));
      const short = { ...example, secrets: { A: 'short' } };
      await attempt(app, short).expect(200);
      await attempt(app, short).expect(200, { found: 'short' }).expect('Kiket-Replayed', 'true');
    });
  });

  it('should pass no secret or token to the store', async () => {
    const { app, store } = serve(kiketHandler(({ secrets }) => ({ length: secrets.get('A')!.length })));
    await attempt(app, { ...example, secrets: { A: 'canary_secret' } }).expect(200);
    const text = JSON.stringify(store.calls);
    for (const value of ['canary_secret', secret, example.authentication.runtime_token])
      expect(text).not.toContain(value);
  });
});
