import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Request, RequestHandler } from 'express';
import { kiketVerify, type KiketVerifyOptions } from 'kiket-express';
import { secret } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { startServer } from '../../support/loopback-server';
import { pairs } from '../../support/pairs';
import { deliverTwice, payloadOf, sizes } from '../../support/receiver';
import type { Framing } from '../../support/signed-request';

/** Actions of an earlier middleware on the stream. */
const touches: Record<string, (req: Request) => unknown> = {
  'nothing has touched': () => undefined,
  'is paused': (req) => req.pause(),
  'is flowing': (req) => req.resume(),
  'has a data listener': (req) => req.on('data', () => undefined),
  'has a data listener, and is paused': (req) => req.on('data', () => undefined).pause(),
  'has listeners for its end': (req) => req.on('end', () => undefined).once('close', () => undefined),
};

const modes: Record<string, { options: KiketVerifyOptions; signedBy: string }> = {
  'for a valid delivery': { options: {}, signedBy: secret },
  'in report-only mode': { options: { reportOnly: true }, signedBy: 'another secret' },
  'over its limit in report-only mode': { options: { reportOnly: true, limit: 500 }, signedBy: secret },
};

/** APIs that accept a request as a body. Each returns the text that it read. */
const consumers: Record<string, (req: Request, url: string) => Promise<string>> = {
  'fetch()': async (req, url) => (await fetch(url, toInit(req))).text(),
  Request: (req, url) => new globalThis.Request(url, toInit(req)).text(),
  Response: (req) => new Response(req as unknown as ReadableStream).text(),
};

// The types of `fetch` lack `duplex` and Node's streams.
function toInit(req: Request): RequestInit {
  return { method: 'POST', body: req, duplex: 'half' } as unknown as RequestInit;
}

function stateOf(req: Request): object {
  return {
    didRead: req.readableDidRead,
    isDisturbed: Readable.isDisturbed(req),
    flowing: req.readableFlowing,
    isPaused: req.isPaused(),
    ended: req.readableEnded,
    listeners: req.eventNames().map((name) => [name, req.listeners(name)]),
  };
}

const framings: Framing[] = ['length', 'chunked'];
const columns = {
  mode: Object.keys(modes),
  size: Object.keys(sizes) as (keyof typeof sizes)[],
  framing: framings,
};

describeMajors('a request behind kiketVerify', (express) => {
  it.each(pairs({ ...columns, touch: Object.keys(touches) }))(
    'should keep its state $mode when it $touch ($size, $framing)',
    async ({ mode, touch, size, framing }) => {
      const { options, signedBy } = modes[mode]!;
      const body = JSON.stringify(payloadOf(sizes[size]));
      const states: [unknown, object][] = [];
      const look: RequestHandler = (req, res, next) => {
        touches[touch]!(req);
        res.locals.before = stateOf(req);
        next();
      };
      const app = express();
      app.post('/kiket', look, kiketVerify(secret, options), (req, res) => {
        states.push([res.locals.before, stateOf(req)]);
        req.resume().on('end', () => res.json({}));
      });
      const responses = await deliverTwice(app, body, { framing, secret: signedBy });
      expect(responses.map((response) => response?.status)).toEqual([200, 200]);
      expect(states).toHaveLength(2);
      for (const [was, is] of states) expect(is).toEqual(was);
    },
  );

  it.each(pairs({ ...columns, consumer: Object.keys(consumers) }))(
    'should be a body for $consumer $mode ($size, $framing)',
    async ({ mode, consumer, size, framing }) => {
      const { options, signedBy } = modes[mode]!;
      const body = JSON.stringify(payloadOf(sizes[size]));
      const echo = await startServer((req, res) => {
        void text(req).then((received) => res.end(received));
      });
      const app = express();
      app.post('/kiket', kiketVerify(secret, options), (req, res, next) => {
        consumers[consumer]!(req, echo.url).then((received) => res.json({ isWhole: received === body }), next);
      });
      const [response] = await deliverTwice(app, body, { framing, secret: signedBy });
      expect([response?.status, response?.text]).toEqual([200, '{"isWhole":true}']);
    },
  );

  it('should count as read when a middleware before ours has read a part', async () => {
    const found: boolean[] = [];
    const app = express();
    const readsPart: RequestHandler = (req, _res, next) => {
      req.once('readable', () => {
        req.read(10);
        next();
      });
    };
    app.post('/kiket', readsPart, kiketVerify(secret, { reportOnly: true }), (req, res) => {
      found.push(Readable.isDisturbed(req));
      res.json({});
    });
    await deliverTwice(app, JSON.stringify(payloadOf(1024)));
    expect(found).toEqual([true, true]);
  });
});
