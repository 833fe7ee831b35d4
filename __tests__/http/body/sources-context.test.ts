import { AsyncLocalStorage } from 'node:async_hooks';
import type { Request, Response } from 'express';
import {
  captureRawBody,
  kiket,
  kiketErrorHandler,
  kiketParse,
  kiketRawBody,
  kiketVerify,
  type KiketMiddleware,
} from 'kiket-express';
import { Connection } from '../../support/connection';
import { secret } from '../../support/deliver';
import { describeMajors, type Express } from '../../support/express';
import { pairs } from '../../support/pairs';
import { payloadOf, sizes } from '../../support/receiver';
import { signedRequest, type Framing, type SignedRequestOptions } from '../../support/signed-request';

/** An adapter that has the body from elsewhere, and does not touch the stream. */
function adapter(payload: string): KiketMiddleware {
  return (req, _res, next) => {
    (req as { rawBody?: unknown }).rawBody = Buffer.from(payload);
    next();
  };
}

const lookUp = (): Promise<string> => new Promise((resolve) => setImmediate(resolve, secret));

/** Every asynchronous step of our middlewares before they call the next. */
const ways: Record<string, (express: Express, payload: string) => KiketMiddleware[]> = {
  'kiketRawBody reads': () => [kiketRawBody()],
  'kiketRawBody drains what an adapter has read': (_express, payload) => [adapter(payload), kiketRawBody()],
  'kiketVerify reads and gives back': () => [kiketVerify(secret)],
  'kiketVerify waits for a secret': () => [kiketVerify(lookUp)],
  'kiketVerify passes on': () => [kiketVerify('whsec_of_another', { reportOnly: true })],
  'express.json() parses after kiketVerify': (express) => [kiketVerify(secret), express.json({ limit: '1mb' })],
  'kiketParse drains what kiketVerify gave back': () => [kiketVerify(secret), kiketParse()],
  'kiketParse drains what an adapter has read': (_express, payload) => [
    adapter(payload),
    kiketVerify(secret),
    kiketParse(),
  ],
  'kiketParse reads what was passed on unread': () => [
    kiketVerify('whsec_of_another', { reportOnly: true, signatureSchemes: ['timestamped'], now: () => 0 }),
    kiketParse(),
  ],
  'kiket() reads': () => [kiket({ secret })],
  'kiket() waits for a secret': () => [kiket({ secret: lookUp })],
  'kiket() takes what express.json() captured': (express) => [
    express.json({ limit: '1mb', verify: captureRawBody }),
    kiket({ secret }),
  ],
};

const refusals: Record<string, { stages: () => KiketMiddleware[]; status: number; options?: SignedRequestOptions }> = {
  'kiketRawBody over its limit': { stages: () => [kiketRawBody({ limit: 100 })], status: 413 },
  'kiketVerify over its limit': { stages: () => [kiketVerify(secret, { limit: 100 })], status: 413 },
  'kiket() over its limit': { stages: () => [kiket({ secret, limit: 100 })], status: 413 },
  'kiketVerify with another secret': { stages: () => [kiketVerify('whsec_of_another')], status: 401 },
  'kiket() with another secret': { stages: () => [kiket({ secret: 'whsec_of_another' })], status: 401 },
};

const framings: Framing[] = ['length', 'chunked'];

describeMajors('the async context of a middleware before ours', (express) => {
  const storage = new AsyncLocalStorage<string>();

  /** Resolves with the stored value that the handler or the error handler reads. The body comes after the head. */
  async function foundAfter(
    stages: KiketMiddleware[],
    payload: string,
    options: SignedRequestOptions,
  ): Promise<unknown[]> {
    const app = express();
    app.set('env', 'test');
    const found: unknown[] = [];
    app.use((_req, _res, next) => storage.run('context of the service', next));
    app.post(
      '/kiket',
      ...stages,
      (_req: Request, res: Response) => {
        found.push(storage.getStore());
        res.end();
      },
      kiketErrorHandler({ onError: () => void found.push(storage.getStore()) }),
    );
    const request = signedRequest(payload, options);
    await Connection.to(app, async (connection) => {
      await connection.writeHead(request.head);
      const half = request.body.length / 2;
      connection.write(request.body.subarray(0, half));
      await new Promise(setImmediate);
      const response = await connection.write(request.body.subarray(half)).response();
      found.unshift(response?.status);
    });
    return found;
  }

  const table = pairs({
    way: Object.keys(ways),
    framing: framings,
    size: Object.keys(sizes) as (keyof typeof sizes)[],
  });

  it.each(table)('should be there after $way ($size, framed by $framing)', async ({ way, framing, size }) => {
    const payload = JSON.stringify(payloadOf(sizes[size]));
    const found = await foundAfter(ways[way]!(express, payload), payload, { framing });
    expect(found).toEqual([200, 'context of the service']);
  });

  it.each(Object.entries(refusals).flatMap(([name, row]) => framings.map((framing) => ({ name, framing, ...row }))))(
    'should be there in the error handler after $name (framed by $framing)',
    async ({ stages, framing, status }) => {
      expect(await foundAfter(stages(), JSON.stringify(payloadOf(1024)), { framing })).toEqual([
        status,
        'context of the service',
      ]);
    },
  );
});
