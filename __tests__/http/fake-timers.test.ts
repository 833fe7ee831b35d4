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
import { Connection } from '../support/connection';
import { example, secret } from '../support/deliver';
import { describeMajors, type Express } from '../support/express';
import { signedRequest, type Framing } from '../support/signed-request';

/** An adapter that has the bytes, and does not touch the stream. */
const adapter: KiketMiddleware = (req, _res, next) => {
  (req as { rawBody?: unknown }).rawBody = JSON.stringify(example);
  next();
};

const FRAMINGS: Framing[] = ['length', 'chunked'];

const chains: Record<string, (express: Express) => KiketMiddleware[]> = {
  'kiketVerify before express.json()': (express) => [kiketVerify(secret), express.json()],
  'kiketVerify with a look-up before express.json()': (express) => [
    kiketVerify(() => Promise.resolve(secret)),
    express.json(),
  ],
  'kiketVerify in report-only mode before express.json()': (express) => [
    kiketVerify('another secret', { reportOnly: true }),
    express.json(),
  ],
  'kiketRawBody, kiketVerify and kiketParse': () => [kiketRawBody(), kiketVerify(secret), kiketParse()],
  'kiketVerify and kiketParse': () => [kiketVerify(secret), kiketParse()],
  'kiketVerify and kiketParse behind an adapter': () => [adapter, kiketVerify(secret), kiketParse()],
  'kiket()': () => [kiket({ secret })],
  'kiket() behind express.json() with captureRawBody': (express) => [
    express.json({ verify: captureRawBody }),
    kiket({ secret }),
  ],
};

describeMajors('with fake timers', (express) => {
  afterEach(() => void jest.useRealTimers());

  it.each(Object.entries(chains))('a delivery should pass %s', async (_name, chain) => {
    const app = express();
    app.post(
      '/kiket',
      ...chain(express),
      (req: Request, res: Response) => void res.json({ found: (req.body as typeof example).event }),
      kiketErrorHandler(),
    );
    // All of them, as by default: setImmediate and nextTick too.
    jest.useFakeTimers();
    await Connection.to(app, async (connection) => {
      for (const framing of FRAMINGS) {
        const { head, body } = signedRequest(JSON.stringify(example), { framing });
        const response = await connection.write(head, body).response();
        expect(response).toMatchObject({ status: 200, text: JSON.stringify({ found: example.event }) });
      }
    });
  });
});
