import { createHmac } from 'node:crypto';
import type { Request } from 'express';
import { kiketErrorHandler, kiketHandler, kiketVerify, type KiketError } from 'kiket-express';
import { COMMANDS } from '../../../lib/cli/command-list';
import { Connection } from '../../support/connection';
import { deliver, example, secret } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { failingCallbacks } from '../../support/failing-callbacks';
import {
  responsesTo,
  bytesOf,
  expectReceived,
  expectRefused,
  final,
  observed,
  pathNames,
  pathsToHandler,
  signatureOf,
  twice,
  type Options,
  type RefusedCase,
} from '../../support/refusals';
import { signedRequest, type SignedRequestOptions } from '../../support/signed-request';

const nowSeconds = 1_764_000_000;
const now = () => nowSeconds * 1000;
const body = JSON.stringify(example);

/** The signature header of the example, over a timestamp of any form. */
function mac(timestamp?: string): string {
  const hmac = createHmac('sha256', secret);
  if (timestamp !== undefined) hmac.update(`${timestamp}.`);
  return hmac.update(body).digest('hex');
}

const malformed = final(401, 'signature.malformed');
const mismatch = final(401, 'signature.mismatch');
const stale = final(401, 'signature.stale');

function withSignature(value: string | undefined, timestamp?: string) {
  return { headers: { 'X-Kiket-Signature': value, 'X-Kiket-Timestamp': timestamp } };
}

/** One row for each code, and for the effects of Node on headers. The unit test of verifySignature has the others. */
const refused: RefusedCase[] = [
  { name: 'no signature', refusal: final(401, 'signature.missing'), delivery: withSignature(undefined) },
  { name: 'an empty signature', refusal: malformed, delivery: withSignature('') },
  { name: 'a signature of 63 digits', refusal: malformed, delivery: withSignature(mac().slice(1)) },
  { name: 'the header twice', refusal: malformed, delivery: { headers: twice('X-Kiket-Signature', mac()) } },
  {
    name: 'the header twice, first wrong then right',
    refusal: malformed,
    delivery: { headers: twice('X-Kiket-Signature', '0'.repeat(64), mac()) },
  },
  { name: 'another secret', refusal: mismatch, delivery: { secret: `${secret}x` } },
  { name: 'another body', refusal: mismatch, payload: `${body}\n`, delivery: { headers: signatureOf(body) } },
  { name: 'an empty body', refusal: mismatch, payload: '', delivery: { headers: signatureOf(body) } },
];

const at = `${nowSeconds}`;
const byBody = { scheme: 'body' } as const;
const byTimestamp = { scheme: 'timestamped', timestampSeconds: nowSeconds } as const;

/** One row for each option. */
const refusedByOptions: RefusedCase[] = (
  [
    {
      name: 'an age over 300 s',
      refusal: stale,
      delivery: withSignature(mac(`${nowSeconds - 301}`), `${nowSeconds - 301}`),
    },
    {
      name: 'an age over toleranceSeconds',
      refusal: stale,
      delivery: { timestampSeconds: nowSeconds - 2 },
      options: { toleranceSeconds: 1 },
    },
    {
      name: 'a timestamp that is sent twice',
      refusal: mismatch,
      delivery: { ...byTimestamp, headers: twice('X-Kiket-Timestamp', at) },
    },
    {
      name: 'a timestamp that is required, and sent twice',
      refusal: malformed,
      delivery: { headers: { 'X-Kiket-Signature': mac(`${at}, ${at}`), ...twice('X-Kiket-Timestamp', at) } },
      options: { signatureSchemes: ['timestamped'] },
    },
    {
      name: 'a signature of the body that is not accepted',
      refusal: final(401, 'signature.scheme_refused'),
      delivery: byBody,
      options: { signatureSchemes: ['timestamped'] },
    },
  ] satisfies RefusedCase[]
).map((row: RefusedCase) => ({ ...row, options: { now, ...row.options }, valid: byTimestamp }));

const received: [string, Options, SignedRequestOptions, object][] = [
  ['white space around the header', {}, withSignature(`  ${mac()}  `), { scheme: 'body', secretIndex: 0 }],
  ['a timestamped signature', {}, byTimestamp, { scheme: 'timestamped', secretIndex: 0, timestampSeconds: nowSeconds }],
  [
    'an age within toleranceSeconds',
    { toleranceSeconds: 86_400 },
    { timestampSeconds: nowSeconds - 86_400 },
    { scheme: 'timestamped', secretIndex: 0, timestampSeconds: nowSeconds - 86_400 },
  ],
  [
    'a signature of the body beside a timestamp, when only that is accepted',
    { signatureSchemes: ['body'] },
    { ...byBody, headers: { 'X-Kiket-Timestamp': at } },
    { scheme: 'body', secretIndex: 0 },
  ],
  [
    'the previous of two secrets',
    { secret: ['current', secret] },
    byTimestamp,
    { scheme: 'timestamped', secretIndex: 1, timestampSeconds: nowSeconds },
  ],
  ['a secret of bytes', { secret: Buffer.from(secret) }, byBody, { scheme: 'body', secretIndex: 0 }],
];

/** Replies with the result of kiketVerify. */
const showSignature = kiketHandler(({ verified, signature }) => ({ verified, ...signature }));

describeMajors('kiketVerify', (express) => {
  describe.each(pathNames)('in %s', (path) => {
    const stagesOf = pathsToHandler[path]!;

    it.each([...refused, ...refusedByOptions])('should fail with $refusal.code for $name', async (row) => {
      await expectRefused(observed(express, stagesOf(row.options ?? {})), row);
    });

    it.each(received)('should accept %s', async (name, options, delivery, signature) => {
      const app = observed(express, stagesOf({ now, ...options }), showSignature);
      await expectReceived(app, { name, delivery }, { verified: true, ...signature });
    });

    it('should read the clock at each delivery, also when it is replaced after the start', async () => {
      const { app } = observed(express, stagesOf({}));
      const clock = jest.spyOn(Date, 'now').mockReturnValue(now());
      try {
        await deliver(app, example, { timestampSeconds: nowSeconds }).expect(200);
        clock.mockReturnValue(now() + 301_000);
        await deliver(app, example, { timestampSeconds: nowSeconds }).expect(401);
      } finally {
        clock.mockRestore();
      }
    });

    it('should fail with handler.failed when the clock throws, and be retried', async () => {
      let fails = true;
      const failing = () => {
        if (fails) throw new Error('no clock');
        return now();
      };
      const { app } = observed(express, stagesOf({ now: failing }));
      const response = await deliver(app, example, byTimestamp).expect(500);
      expect(response.body).toMatchObject({ error: { code: 'handler.failed', retryable: true } });
      fails = false;
      await deliver(app, example, byTimestamp).expect(200);
    });
  });

  it.each([
    ['no signature', withSignature(undefined)],
    ['a malformed one', withSignature('nonsense')],
    ['a stale one', { timestampSeconds: nowSeconds - 301 }],
  ])('should refuse by the headers before the body has arrived: %s', async (_name, delivery) => {
    const { app } = observed(express, [kiketVerify(secret, { now })]);
    const { head } = signedRequest(body, delivery);
    const response = await Connection.to(app, (connection) => connection.write(head).response());
    expect(response?.status).toBe(401);
  });

  it('should name both remedies when a request without a signature is refused', async () => {
    const response = await deliver(observed(express, [kiketVerify(secret)]).app, example, withSignature(undefined));
    const { message } = (response.body as { error: { message: string } }).error;
    expect(message).toMatch(
      /app\.use\('\/kiket', kiketVerify\(secret\)\).*signatureRequired: false.*req\.kiket\?\.verified/,
    );
  });

  it('should name a command that exists, in signature.mismatch', async () => {
    const { app } = observed(express, [kiketVerify(secret)]);
    const response = await deliver(app, example, { secret: 'another' }).expect(401);
    const { message } = (response.body as { error: { message: string } }).error;
    const command = /npx kiket-express (\w+) FILE\.$/.exec(message)?.[1];
    expect(COMMANDS.map(({ name }) => name)).toContain(command);
  });

  describe('onRefused', () => {
    function watched(onRefused: (error: KiketError, req: Request) => void) {
      const app = express();
      app.post('/kiket', kiketVerify(secret, { onRefused }), (_req, res) => void res.json('received'));
      app.use(kiketErrorHandler());
      return app;
    }

    it.each(refused)('should be called once with $refusal.code: $name', async (row) => {
      const seen: unknown[] = [];
      const app = watched((error, req) => seen.push([error.code, req.path]));
      await responsesTo(app, [signedRequest(bytesOf(row.payload ?? body), row.delivery)]);
      expect(seen).toEqual([[row.refusal.code, '/kiket']]);
    });

    it('should not be called for a valid delivery', async () => {
      const onRefused = jest.fn();
      await deliver(watched(onRefused)).expect(200);
      expect(onRefused).not.toHaveBeenCalled();
    });

    it('should be called with handler.failed, whose cause is the error, when the clock throws', async () => {
      const failure = new Error('no clock');
      const now = (): never => {
        throw failure;
      };
      const seen: unknown[] = [];
      const onRefused = ({ code, cause }: KiketError) => void seen.push([code, cause]);
      const app = express();
      app.post('/kiket', kiketVerify(secret, { now, onRefused, reportOnly: true }), (_req, res) => void res.json({}));
      await deliver(app).expect(200);
      expect(seen).toEqual([['handler.failed', failure]]);
    });

    it.each(failingCallbacks)('should change nothing when it %s', async (_what, onRefused) => {
      const app = watched(onRefused);
      const response = await deliver(app, example, { secret: 'another' }).expect(401);
      expect(response.body).toMatchObject({ error: { code: 'signature.mismatch', retryable: false } });
      await deliver(app).expect(200);
    });
  });
});
