import type { Request } from 'express';
import { kiket, kiketDelivery, kiketErrorHandler, kiketVerify, type KiketMiddleware } from 'kiket-express';
import { secret } from '../../support/deliver';
import { nests, nestService, type NestApp, type NestServiceOptions } from '../../support/nest-service';
import { chains, deliverTwice, expectReceived, payloadOf, reportDelivery, sizes } from '../../support/receiver';

const receive = (req: Request): object => reportDelivery(kiketDelivery(req), req);
const parseUpTo1Mb = (app: NestApp): void => void app.useBodyParser('json', { limit: '1mb' });

/** Where a Nest service may mount middlewares. */
const mounts: Record<string, (stages: readonly KiketMiddleware[]) => Omit<NestServiceOptions, 'receive'>> = {
  "in its module, behind Nest's parser": (middlewares) => ({ middlewares, setUp: parseUpTo1Mb }),
  "with app.use(), behind Nest's parser": (stages) => ({
    setUp: (app) => {
      parseUpTo1Mb(app);
      for (const stage of stages) app.use('/kiket', stage);
    },
  }),
  "with app.use(), before Nest's parser": (stages) => ({
    setUp: (app) => {
      for (const stage of stages) app.use('/kiket', stage);
      parseUpTo1Mb(app);
    },
  }),
};

const bodies = {
  ...Object.fromEntries(Object.entries(sizes).map(([size, bytes]) => [size, JSON.stringify(payloadOf(bytes))])),
  emoji: JSON.stringify(payloadOf(1024, '👩‍🚀é')),
};

const framings = ['length', 'chunked'] as const;

describe.each(Object.entries(nests))('a service on %s', (_major, load) => {
  const nest = load();

  describe.each(Object.entries(mounts))('with ours %s', (_mount, mount) => {
    const table = Object.entries(chains).flatMap(([way, chain]) =>
      Object.entries(bodies).flatMap(([name, body]) =>
        framings.map((framing) => ({ way, chain, name, body, framing })),
      ),
    );

    it.each(table)('should receive $name, framed by $framing ($way)', async ({ chain, body, framing }) => {
      await expectReceived(await nestService(nest, { ...mount(chain()), receive }), body, { framing });
    });

    it.each(Object.entries(bodies))('should have Nest parse %s behind kiketVerify alone', async (_name, body) => {
      const options = { ...mount([kiketVerify(secret)]), receive: (req: Request) => req.body as object };
      const answers = await deliverTwice(await nestService(nest, options), body);
      const expected = JSON.parse(body) as unknown;
      expect(answers.map((answer) => answer && (JSON.parse(answer.text) as unknown))).toEqual([expected, expected]);
    });

    it.each(Object.entries(chains))("should 401 another signature by Nest's own handler (%s)", async (_way, chain) => {
      const service = await nestService(nest, { ...mount(chain()), receive });
      const answers = await deliverTwice(service, bodies.emoji, { secret: 'whsec_of_another' });
      expect(answers.map((answer) => answer?.status)).toEqual([401, 401]);
    });
  });

  it('should be told by kiketErrorHandler what has failed', async () => {
    const setUp = (app: NestApp): void => void app.use('/kiket', kiket({ secret })).use('/kiket', kiketErrorHandler());
    const service = await nestService(nest, { setUp, receive });
    const [answer] = await deliverTwice(service, bodies.emoji, { secret: 'whsec_of_another' });
    expect(JSON.parse(answer!.text)).toMatchObject({ error: { code: 'signature.mismatch', retryable: false } });
  });

  it('should 500, to be sent again, without rawBody: true', async () => {
    const service = await nestService(nest, { rawBody: false, middlewares: [kiket({ secret })], receive });
    const answers = await deliverTwice(service, bodies.emoji);
    expect(answers.map((answer) => answer?.status)).toEqual([500, 500]);
  });
});
