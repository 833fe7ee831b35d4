import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Request, RequestHandler, Response } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketParse,
  kiketRespond,
  kiketVerify,
  type KiketRecord,
} from 'kiket-express';
import { deliver, example, secret, type DeliverOptions } from '../../support/deliver';
import { describeMajors } from '../../support/express';

const records: KiketRecord[] = [];
const collect = (record: unknown) => void records.push(record as KiketRecord);
const onCompleted = (record: KiketRecord) => void records.push(record);
const deadlineMs = 20;

const unsigned: DeliverOptions = { headers: { 'X-Kiket-Signature': undefined } };
const wronglySigned: DeliverOptions = { secret: 'another secret' };

const chains: [string, RequestHandler[], DeliverOptions][] = [
  ['report-only kiket()', [kiket({ secret, reportOnly: true, deadlineMs, onCompleted })], wronglySigned],
  [
    'report-only kiketVerify after kiketRespond',
    [kiketRespond({ deadlineMs, onCompleted }), kiketVerify(secret, { reportOnly: true }), kiketParse()],
    wronglySigned,
  ],
  [
    'report-only kiketVerify before kiketRespond',
    [kiketVerify(secret, { reportOnly: true }), kiketParse(), kiketRespond({ deadlineMs, onCompleted })],
    wronglySigned,
  ],
  [
    'report-only kiketVerify whose secret comes after the deadline',
    [
      kiketRespond({ deadlineMs, onCompleted }),
      kiketVerify(() => laterThanTheDeadline().then(() => secret), { reportOnly: true }),
      kiketParse(),
    ],
    wronglySigned,
  ],
  [
    'kiket() without a required signature',
    [kiket({ secret, signatureRequired: false, deadlineMs, onCompleted })],
    unsigned,
  ],
  [
    'kiketVerify without a required signature, after kiketRespond',
    [kiketRespond({ deadlineMs, onCompleted }), kiketVerify(secret, { signatureRequired: false }), kiketParse()],
    unsigned,
  ],
];

function laterThanTheDeadline(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3 * deadlineMs));
}

describeMajors('a request that is passed on', (express) => {
  beforeEach(() => {
    records.length = 0;
    channel('kiket:delivery').subscribe(collect);
  });
  afterEach(() => {
    channel('kiket:delivery').unsubscribe(collect);
  });

  /** Delivers to a plain handler, and waits until the server has finished the response. */
  async function run(
    chain: RequestHandler[],
    handler: (req: Request, res: Response) => unknown,
    delivery: DeliverOptions,
  ) {
    const app = express();
    let closed: Promise<unknown> | undefined;
    app.use((_req, res, next) => {
      closed = once(res, 'close');
      next();
    });
    app.post('/kiket', ...chain, (req: Request, res: Response) => void handler(req, res), kiketErrorHandler());
    const response = await deliver(app, example, delivery);
    await closed;
    return response;
  }

  it.each(chains)('should have no deadline and no record: %s', async (_name, chain, delivery) => {
    const response = await run(
      chain,
      async (req, res) => {
        await laterThanTheDeadline();
        res.json({ verified: req.kiket?.verified, aborted: req.kiket?.signal?.aborted });
      },
      delivery,
    );
    expect(response.body).toEqual({ verified: false, aborted: false });
    expect(records).toEqual([]);
  });

  it.each(chains.slice(0, 4))('should have a deadline and a record once it is valid: %s', async (_name, chain) => {
    const response = await run(chain, () => undefined, {});
    expect(response.status).toBe(503);
    expect(new Set(records.map(({ code }) => code))).toEqual(new Set(['deadline.exceeded']));
  });

  it('should have no deadline and no record in kiketHandler either', async () => {
    const app = express();
    const slow = kiketHandler(async ({ signal }) => {
      await laterThanTheDeadline();
      return { aborted: signal.aborted };
    });
    app.post('/kiket', kiket({ secret, reportOnly: true, deadlineMs, onCompleted }), slow, kiketErrorHandler());
    await deliver(app, example, wronglySigned).expect(200, { aborted: false });
    expect(records).toEqual([]);
  });

  it.each<[string, RequestHandler, DeliverOptions]>([
    ['an observing one', kiketVerify(secret, { reportOnly: true }), wronglySigned],
    ['one that requires no signature', kiketVerify(secret, { signatureRequired: false }), unsigned],
  ])('should record the refusal of a strict kiketVerify behind %s', async (_name, first, delivery) => {
    const response = await run([first, kiketVerify(secret)], (_req, res) => res.json('passed'), delivery);
    expect(response.status).toBe(401);
    expect(records).toMatchObject([{ status: 401, outcome: 'final' }]);
  });
});
