import { kiketErrorHandler, kiketVerify } from 'kiket-express';
import serverless from 'serverless-http';
import { gatewayEvents } from '../../support/api-gateway';
import { secret } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { pairs } from '../../support/pairs';
import { chains, payloadOf, receiver, reportOf, sizes } from '../../support/receiver';
import type { RequestListener } from 'node:http';

interface LambdaResponse {
  statusCode: number;
  body: string;
}

async function invoke(app: RequestListener, event: object): Promise<[number, unknown]> {
  const { statusCode, body } = (await serverless(app)(event, {})) as LambdaResponse;
  return [statusCode, JSON.parse(body)];
}

const bodies = {
  ...Object.fromEntries(Object.entries(sizes).map(([size, bytes]) => [size, JSON.stringify(payloadOf(bytes))])),
  emoji: JSON.stringify(payloadOf(1024, '👩‍🚀é')),
  'a byte order mark': `\uFEFF${JSON.stringify(payloadOf(1024))}`,
};

const columns = {
  event: Object.keys(gatewayEvents),
  name: Object.keys(bodies) as (keyof typeof bodies)[],
};
const received = pairs({
  ...columns,
  way: Object.keys(chains),
  later: ['nothing', 'a later express.json()'] as const,
});
const refused = pairs({ event: columns.event, way: Object.keys(chains) });

describeMajors('serverless-http', (express) => {
  it.each(received)('should receive $name in an API Gateway event of $event ($way, $later)', async (row) => {
    const body = bodies[row.name];
    const later = row.later === 'nothing' ? [] : [express.json({ limit: '1mb' })];
    const app = receiver(express, { stages: [...chains[row.way]!(), ...later] });
    expect(await invoke(app, gatewayEvents[row.event]!(body))).toEqual([200, reportOf(body)]);
  });

  it.each(refused)('should 401 another signature, and 400 an empty body ($event, $way)', async ({ event, way }) => {
    const app = receiver(express, { stages: chains[way]!() });
    const forged = gatewayEvents[event]!(bodies.emoji, { secret: 'whsec_of_another' });
    const mismatch = { error: { code: 'signature.mismatch', retryable: false } };
    expect(await invoke(app, forged)).toMatchObject([401, mismatch]);
    const malformed = { error: { code: 'payload.malformed' } };
    expect(await invoke(app, gatewayEvents[event]!(''))).toMatchObject([400, malformed]);
  });

  it.each(pairs(columns))(
    'should let express.json() parse $name after kiketVerify alone ($event)',
    async ({ event, name }) => {
      const body = bodies[name];
      const app = express();
      app.set('env', 'test');
      app.use(kiketVerify(secret), express.json({ limit: '1mb' }));
      app.post('/kiket', (req, res) => void res.json({ found: req.body as unknown }));
      app.use(kiketErrorHandler());
      const found = JSON.parse(body.replace('\uFEFF', '')) as unknown;
      expect(await invoke(app, gatewayEvents[event]!(body))).toEqual([200, { found }]);
    },
  );
});
