import { kiketErrorHandler, kiketVerify } from 'kiket-express';
import serverless from 'serverless-http';
import { gatewayEvents } from '../../support/api-gateway';
import { secret } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { chains, payloadOf, receiver, reportOf, sizes } from '../../support/receiver';
import type { RequestListener } from 'node:http';

interface LambdaAnswer {
  statusCode: number;
  body: string;
}

async function invoke(app: RequestListener, event: object): Promise<[number, unknown]> {
  const { statusCode, body } = (await serverless(app)(event, {})) as LambdaAnswer;
  return [statusCode, JSON.parse(body)];
}

const bodies = {
  ...Object.fromEntries(Object.entries(sizes).map(([size, bytes]) => [size, JSON.stringify(payloadOf(bytes))])),
  emoji: JSON.stringify(payloadOf(1024, '👩‍🚀é')),
  'a byte order mark': `\uFEFF${JSON.stringify(payloadOf(1024))}`,
};

const table = Object.entries(gatewayEvents).flatMap(([event, toEvent]) =>
  Object.entries(bodies).map(([name, body]) => ({ event, toEvent, name, body })),
);

describeMajors('serverless-http', (express) => {
  describe.each(Object.entries(chains))('%s', (_name, chain) => {
    it.each(table)('should receive $name in an API Gateway event of $event', async ({ toEvent, body }) => {
      expect(await invoke(receiver(express, { stages: chain() }), toEvent(body))).toEqual([200, reportOf(body)]);
    });

    it.each(table)('should leave nothing to a later express.json(): $name, $event', async ({ toEvent, body }) => {
      const app = receiver(express, { stages: [...chain(), express.json({ limit: '1mb' })] });
      expect(await invoke(app, toEvent(body))).toEqual([200, reportOf(body)]);
    });

    it.each(Object.entries(gatewayEvents))('should 401 a body that was changed (%s)', async (_event, toEvent) => {
      const app = receiver(express, { stages: chain() });
      const event = toEvent(bodies.emoji, { secret: 'whsec_of_another' });
      const mismatch = { error: { code: 'signature.mismatch', retryable: false } };
      expect(await invoke(app, event)).toMatchObject([401, mismatch]);
    });

    it.each(Object.entries(gatewayEvents))(
      'should refuse an empty body as no delivery (%s)',
      async (_event, toEvent) => {
        const malformed = { error: { code: 'payload.malformed' } };
        expect(await invoke(receiver(express, { stages: chain() }), toEvent(''))).toMatchObject([400, malformed]);
      },
    );
  });

  it.each(table)(
    'should let express.json() parse $name after kiketVerify alone ($event)',
    async ({ toEvent, body }) => {
      const app = express();
      app.set('env', 'test');
      app.use(kiketVerify(secret), express.json({ limit: '1mb' }));
      app.post('/kiket', (req, res) => void res.json({ found: req.body as unknown }));
      app.use(kiketErrorHandler());
      const found = JSON.parse(body.replace('\uFEFF', '')) as unknown;
      expect(await invoke(app, toEvent(body))).toEqual([200, { found }]);
    },
  );
});
