import {
  kiket,
  kiketDelivery,
  kiketErrorHandler,
  kiketHandler,
  kiketParse,
  kiketRespond,
  kiketVerify,
} from 'kiket-express';
import type { Request, RequestHandler, Response } from 'express';
import { deliver, example, secret, type DeliverOptions } from '../../support/deliver';
import { describeMajors } from '../../support/express';

const unsigned: DeliverOptions = { headers: { 'X-Kiket-Signature': undefined } };
const options = { signatureRequired: false };

const chains: Record<string, RequestHandler[]> = {
  'kiketVerify, kiketParse and kiketRespond': [kiketVerify(secret, options), kiketParse(), kiketRespond()],
  'kiketRespond, kiketVerify and kiketParse': [kiketRespond(), kiketVerify(secret, options), kiketParse()],
  'kiket()': [kiket({ secret, ...options })],
  'kiket(), report-only': [kiket({ secret, ...options, reportOnly: true })],
};

function passed(_req: Request, res: Response): void {
  res.json('passed');
}

describeMajors('signatureRequired: false', (express) => {
  describe.each(Object.entries(chains))('in %s', (_name, chain) => {
    it('should pass an unsigned request on, unread and unverified', async () => {
      const app = express();
      app.post('/kiket', ...chain, (req, res) => {
        const { body, kiket: state } = req as { body: unknown; kiket?: Record<string, unknown> };
        res.json([state?.verified, body === undefined, state?.rawBody === undefined, state?.payload === undefined]);
      });
      await deliver(app, example, unsigned).expect(200, [false, true, true, true]);
    });

    it('should 401 signature.missing from kiketHandler, without running it', async () => {
      const app = express();
      const fn = jest.fn();
      app.post('/kiket', ...chain, kiketHandler(fn), kiketErrorHandler());
      const response = await deliver(app, example, unsigned).expect(401);
      expect(response.body).toMatchObject({ error: { code: 'signature.missing', retryable: false } });
      expect(fn).not.toHaveBeenCalled();
    });

    it('should throw signature.missing from kiketDelivery', async () => {
      const app = express();
      app.post('/kiket', ...chain, (req, res) => {
        expect(() => kiketDelivery(req)).toThrow(expect.objectContaining({ code: 'signature.missing' }) as Error);
        res.json('thrown');
      });
      await deliver(app, example, unsigned).expect(200, '"thrown"');
    });

    it('should verify a valid delivery in full', async () => {
      const app = express();
      app.post(
        '/kiket',
        ...chain,
        kiketHandler(({ verified, secrets }) => ({ verified, keys: secrets.keys() })),
      );
      await deliver(app, example).expect(200, { verified: true, keys: ['MAKE_COM_TOKEN', 'ONCALL_WEBHOOK'] });
    });
  });

  it.each<[string, RequestHandler]>([
    ['kiketVerify', kiketVerify(secret, options)],
    ['kiket()', kiket({ secret, ...options })],
  ])('should still refuse a wrong signature and an empty one: %s', async (_name, middleware) => {
    const app = express();
    app.post('/kiket', middleware, passed, kiketErrorHandler());
    const wrong = await deliver(app, example, { secret: 'another secret' }).expect(401);
    expect(wrong.body).toMatchObject({ error: { code: 'signature.mismatch' } });
    const empty = await deliver(app, example, { headers: { 'X-Kiket-Signature': '' } }).expect(401);
    expect(empty.body).toMatchObject({ error: { code: 'signature.malformed' } });
  });

  it('should not call onRefused for an unsigned request', async () => {
    const onRefused = jest.fn();
    const app = express();
    app.post('/kiket', kiketVerify(secret, { ...options, onRefused }), (_req, res) => void res.json('passed'));
    await deliver(app, example, unsigned).expect(200);
    expect(onRefused).not.toHaveBeenCalled();
  });

  it('should add no responder in kiket() to an unsigned request', async () => {
    const app = express();
    app.use(kiket({ secret, ...options }));
    app.post('/kiket', (_req, res) => void res.json(res.kiket === undefined));
    await deliver(app, example, unsigned).expect(200, 'true');
  });

  it('should 401 an unsigned request at a strict kiketVerify behind it', async () => {
    const app = express();
    app.use(kiketVerify(secret, options));
    app.post('/kiket', kiketVerify(secret), passed, kiketErrorHandler());
    const response = await deliver(app, example, unsigned).expect(401);
    expect(response.body).toMatchObject({ error: { code: 'signature.missing' } });
  });
});
