import type { Request } from 'express';
import { kiket, kiketDelivery, kiketErrorHandler, kiketVerify, type KiketMiddleware } from 'kiket-express';
import { secret } from '../../support/deliver';
import { nests, nestService, type NestApp, type NestServiceOptions } from '../../support/nest-service';
import { pairs } from '../../support/pairs';
import { chains, deliverTwice, expectReceived, payloadOf, reportDelivery, sizes } from '../../support/receiver';

const receive = (req: Request): object => reportDelivery(kiketDelivery(req), req);
const parseUpTo1Mb = (app: NestApp): void => void app.useBodyParser('json', { limit: '1mb' });

/** Places at which a Nest service can mount middlewares. */
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

const columns = { mounted: Object.keys(mounts), name: Object.keys(bodies) as (keyof typeof bodies)[] };
const received = pairs({ ...columns, way: Object.keys(chains), framing: ['length', 'chunked'] as const });

describe.each(Object.entries(nests))('a service on %s', (_major, load) => {
  const nest = load();

  it.each(received)('should receive $name, $framing, with $way $mounted', async ({ mounted, name, way, framing }) => {
    const service = await nestService(nest, { ...mounts[mounted]!(chains[way]!()), receive });
    await expectReceived(service, bodies[name], { framing });
  });

  it.each(pairs(columns))('should have Nest parse $name behind kiketVerify alone, $mounted', async (row) => {
    const mount = mounts[row.mounted]!([kiketVerify(secret)]);
    const service = await nestService(nest, { ...mount, receive: (req: Request) => req.body as object });
    const responses = await deliverTwice(service, bodies[row.name]);
    const expected = JSON.parse(bodies[row.name]) as unknown;
    expect(responses.map((response) => response && (JSON.parse(response.text) as unknown))).toEqual([
      expected,
      expected,
    ]);
  });

  it.each(pairs({ mounted: Object.keys(mounts), way: Object.keys(chains) }))(
    "should 401 another signature by Nest's own handler, with $way $mounted",
    async ({ mounted, way }) => {
      const service = await nestService(nest, { ...mounts[mounted]!(chains[way]!()), receive });
      const responses = await deliverTwice(service, bodies.emoji, { secret: 'whsec_of_another' });
      expect(responses.map((response) => response?.status)).toEqual([401, 401]);
    },
  );

  it('should get the error from kiketErrorHandler', async () => {
    const setUp = (app: NestApp): void => void app.use('/kiket', kiket({ secret })).use('/kiket', kiketErrorHandler());
    const service = await nestService(nest, { setUp, receive });
    const [response] = await deliverTwice(service, bodies.emoji, { secret: 'whsec_of_another' });
    expect(JSON.parse(response!.text)).toMatchObject({ error: { code: 'signature.mismatch', retryable: false } });
  });

  it('should 500, retryable, without rawBody: true', async () => {
    const service = await nestService(nest, { rawBody: false, middlewares: [kiket({ secret })], receive });
    const responses = await deliverTwice(service, bodies.emoji);
    expect(responses.map((response) => response?.status)).toEqual([500, 500]);
  });
});
