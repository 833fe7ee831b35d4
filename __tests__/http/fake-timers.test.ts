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

/** An adapter that has the bytes, and leaves the stream as it is. */
const adapter: KiketMiddleware = (req, _res, next) => {
  (req as { rawBody?: unknown }).rawBody = JSON.stringify(example);
  next();
};

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

  const rows = Object.entries(chains).flatMap(([name, chain]) =>
    (['length', 'chunked'] satisfies Framing[]).map((framing) => ({ name, chain, framing })),
  );
  it.each(rows)('a delivery should go on through $name ($framing)', async ({ chain, framing }) => {
    const app = express();
    app.post(
      '/kiket',
      ...chain(express),
      (req: Request, res: Response) => void res.json({ found: (req.body as typeof example).event }),
      kiketErrorHandler(),
    );
    // All of them, as by default: setImmediate and nextTick too.
    jest.useFakeTimers();
    const { head, body } = signedRequest(JSON.stringify(example), { framing });
    const answer = await Connection.to(app, (connection) => connection.write(head, body).answer());
    expect([answer?.status, answer && (JSON.parse(answer.text) as unknown)]).toEqual([200, { found: example.event }]);
  });
});
