import { once } from 'node:events';
import type { RequestHandler } from 'express';
import { kiket, kiketErrorHandler, kiketParse, kiketRespond, kiketVerify, type KiketMiddleware } from 'kiket-express';
import { deliver, example, secret, type DeliverOptions } from '../support/deliver';
import { describeNewest } from '../support/express';

const chains: [string, KiketMiddleware[]][] = [
  ['kiketVerify', [kiketVerify(secret)]],
  ['kiketVerify, kiketParse', [kiketVerify(secret), kiketParse()]],
  ['kiketRespond, kiketVerify, kiketParse', [kiketRespond(), kiketVerify(secret), kiketParse()]],
  ['kiket()', [kiket({ secret })]],
];

const deliveries: [string, DeliverOptions][] = [
  ['received', {}],
  ['refused', { secret: 'another secret' }],
];

const respond: RequestHandler = (_req, res) => void res.json({});

describeNewest('an access log that reads req.kiket.signal', (express) => {
  const rows = chains.flatMap(([chain, stages]) => deliveries.map(([end, sent]) => ({ chain, stages, end, sent })));

  it.each(rows)(
    'should see a signal that is not aborted after a delivery is $end: $chain',
    async ({ stages, sent }) => {
      let signal: AbortSignal | undefined;
      let closed: Promise<unknown> | undefined;
      const log: RequestHandler = (req, res, next) => {
        res.on('finish', () => (signal = req.kiket?.signal));
        closed = once(res, 'close');
        next();
      };
      const app = express();
      app.set('env', 'test');
      app.post('/kiket', log, ...stages, respond, kiketErrorHandler());
      await deliver(app, example, sent);
      await closed;
      expect(signal?.aborted).toBe(false);
    },
  );
});
