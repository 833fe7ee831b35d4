import type { KiketMiddleware } from 'kiket-express';
import { kiketVerify } from 'kiket-express';
import { secret } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { pairs } from '../../support/pairs';
import { chains, deliverTwice, expectReceived, payloadOf, receiver, sizes } from '../../support/receiver';
import type { Framing } from '../../support/signed-request';

let heard = 0;
const hear = (chunk: Buffer): void => void (heard += chunk.length);
beforeEach(() => {
  heard = 0;
});

/** Listeners that a service may add to every request before our middlewares, for example to measure it. */
const listeners: Record<string, KiketMiddleware> = {
  "listens for 'data'": (req, _res, next) => {
    req.on('data', hear);
    next();
  },
  'sets it flowing': (req, _res, next) => {
    req.resume();
    next();
  },
  "listens for 'data', and has paused it": (req, _res, next) => {
    req.on('data', hear).pause();
    next();
  },
};

const secrets = { 'a secret': secret, 'a secret that is looked up': () => Promise.resolve(secret) };

const columns = {
  listener: Object.keys(listeners),
  size: Object.keys(sizes) as (keyof typeof sizes)[],
  framing: ['length', 'chunked'] satisfies Framing[],
};

describeMajors('a middleware before ours that', (express) => {
  it.each(pairs({ ...columns, source: Object.keys(secrets) as (keyof typeof secrets)[] }))(
    '$listener should take nothing from kiketVerify with $source, and a parser behind it: $size, $framing',
    async ({ listener, source, size, framing }) => {
      const app = express();
      app.set('env', 'test');
      // A middleware that pauses a request must resume it, also without kiketVerify. A parser would wait for ever.
      const resumes: KiketMiddleware = (req, _res, next) => next(void req.resume());
      const between = listener.endsWith('paused it') ? [resumes] : [];
      app.use(listeners[listener]!, kiketVerify(secrets[source]), ...between, express.json({ limit: '1mb' }));
      app.post('/kiket', (req, res) => void res.json(req.body));
      const body = JSON.stringify(payloadOf(sizes[size]));
      const responses = await deliverTwice(app, body, { framing });
      expect(responses.map((response) => [response?.status, response?.text === body])).toEqual([
        [200, true],
        [200, true],
      ]);
      // Once for each delivery, as without kiketVerify.
      expect(heard).toBe(listener.startsWith('listens') ? 2 * Buffer.byteLength(body) : 0);
    },
  );

  it.each(pairs({ ...columns, way: Object.keys(chains) }))(
    '$listener should take nothing from $way: $size, $framing',
    async ({ listener, way, size, framing }) => {
      const app = receiver(express, { before: [listeners[listener]!], stages: chains[way]!() });
      await expectReceived(app, JSON.stringify(payloadOf(sizes[size])), { framing });
    },
  );
});
