import { createHmac, createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Request } from 'express';
import { kiketErrorHandler, kiketHandler, kiketVerify, type KiketError, type KiketOptions } from 'kiket-express';
import { Connection } from '../../support/connection';
import { deliver, example, secret } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { failingCallbacks } from '../../support/failing-callbacks';
import {
  answersTo,
  bytesOf,
  expectReceived,
  expectRefused,
  final,
  observed,
  pathNames,
  pathsToHandler,
  signatureOf,
  twice,
  type Case,
  type RefusedCase,
} from '../../support/refusals';
import { signedRequest } from '../../support/signed-request';

const nowSeconds = 1_764_000_000;
const now = () => nowSeconds * 1000;
const body = JSON.stringify(example);

/** The signature header of the example, over a timestamp of any form. */
function mac(timestamp?: string): string {
  const hmac = createHmac('sha256', secret);
  if (timestamp !== undefined) hmac.update(`${timestamp}.`);
  return hmac.update(body).digest('hex');
}

function withSignature(value: string | undefined, timestamp?: string) {
  return { headers: { 'X-Kiket-Signature': value, 'X-Kiket-Timestamp': timestamp } };
}

const missing = final(401, 'signature.missing');
const malformed = final(401, 'signature.malformed');
const mismatch = final(401, 'signature.mismatch');
const stale = final(401, 'signature.stale');
const schemeRefused = final(401, 'signature.scheme_refused');
const onlyByTimestamp: RefusedCase['options'] = { signatureSchemes: ['timestamped'] };

const signatures: RefusedCase[] = [
  { name: 'no signature', refusal: missing, delivery: withSignature(undefined) },
  { name: 'an empty signature', refusal: malformed, delivery: withSignature('') },
  { name: 'one of 63 digits', refusal: malformed, delivery: withSignature(mac().slice(1)) },
  { name: 'one of 65 digits', refusal: malformed, delivery: withSignature(`${mac()}0`) },
  { name: 'one of 128 digits', refusal: malformed, delivery: withSignature(mac().repeat(2)) },
  { name: 'a letter that is no digit', refusal: malformed, delivery: withSignature(`g${mac().slice(1)}`) },
  { name: 'base64', refusal: malformed, delivery: withSignature(Buffer.from(mac(), 'hex').toString('base64')) },
  { name: 'a prefix without digits', refusal: malformed, delivery: withSignature('sha256=') },
  { name: 'a prefix twice', refusal: malformed, delivery: withSignature(`sha256=sha256=${mac()}`) },
  { name: 'the prefix of another hash', refusal: malformed, delivery: withSignature(`sha512=${mac()}`) },
  { name: 'a list', refusal: malformed, delivery: withSignature(`${mac()},${mac()}`) },
  { name: 'a list of one and nothing', refusal: malformed, delivery: withSignature(`${mac()},`) },
  { name: 'a JSON array', refusal: malformed, delivery: withSignature(`["${mac()}"]`) },
  { name: 'the header twice', refusal: malformed, delivery: { headers: twice('X-Kiket-Signature', mac()) } },
  {
    name: 'the header twice, first wrong then right',
    refusal: malformed,
    delivery: { headers: twice('X-Kiket-Signature', '0'.repeat(64), mac()) },
  },
  { name: 'zeros', refusal: mismatch, delivery: withSignature('0'.repeat(64)) },
  { name: 'the signature of another secret', refusal: mismatch, delivery: { secret: `${secret}x` } },
  { name: 'the SHA-256 of another payload', refusal: mismatch, delivery: { headers: signatureOf({ event: 'other' }) } },
];

const bodies: RefusedCase[] = [
  { name: 'one bit changed', payload: flipBit(body), delivery: { headers: signatureOf(body) }, refusal: mismatch },
  { name: 'white space at its end', payload: `${body}\n`, delivery: { headers: signatureOf(body) }, refusal: mismatch },
  { name: 'white space before it', payload: ` ${body}`, delivery: { headers: signatureOf(body) }, refusal: mismatch },
  {
    name: 'the same JSON written otherwise',
    payload: JSON.stringify(example, null, 2),
    delivery: { headers: signatureOf(body) },
    refusal: mismatch,
  },
  { name: 'nothing of it left', payload: '', delivery: { headers: signatureOf(body) }, refusal: mismatch },
];

function flipBit(text: string): Buffer {
  const bytes = Buffer.from(text);
  bytes[bytes.length >> 1]! ^= 1;
  return bytes;
}

/** Correctly signed with this text as the timestamp, so that only its form or its age is wrong. */
const timestamps: RefusedCase[] = [
  ...['', 'yesterday', '-1', '+1', '1e9', '0x69', `${nowSeconds}.0`, `${nowSeconds}s`, '2025-11-24T16:00:00Z'].map(
    (text) => ({ name: `'${text}'`, delivery: withSignature(mac(text), text) }),
  ),
  {
    name: 'the header twice',
    delivery: {
      headers: {
        'X-Kiket-Signature': mac(`${nowSeconds}, ${nowSeconds}`),
        ...twice('X-Kiket-Timestamp', `${nowSeconds}`),
      },
    },
  },
].flatMap((row): RefusedCase[] => [
  { ...row, name: `${row.name}, where a timestamp is required`, refusal: malformed, options: onlyByTimestamp },
  // It selects no scheme, so that the signature must be of the body alone.
  { ...row, refusal: mismatch },
]);

/** Correctly signed, but for the age of the timestamp. */
const ages: RefusedCase[] = [
  `${nowSeconds - 301}`,
  `${nowSeconds + 301}`,
  `${nowSeconds}000`,
  '0',
  '9'.repeat(400),
  `${Number.MAX_SAFE_INTEGER}`,
].map((text) => ({ name: text.slice(0, 20), refusal: stale, delivery: withSignature(mac(text), text) }));

const refused = [
  ...signatures,
  ...bodies,
  ...[...timestamps, ...ages].map((row) => ({
    ...row,
    options: { ...row.options, now },
    valid: { timestampSeconds: nowSeconds },
  })),
];

const received: Case[] = [
  { name: 'lower case', delivery: withSignature(mac()) },
  { name: 'upper case', delivery: withSignature(mac().toUpperCase()) },
  { name: 'sha256= before the digits', delivery: withSignature(`sha256=${mac()}`) },
  { name: 'sha256= before digits in upper case', delivery: withSignature(`sha256=${mac().toUpperCase()}`) },
  { name: 'white space around the header', delivery: withSignature(`  ${mac()}  `) },
  ...[0, -300, 300].map((distance) => ({
    name: `a timestamp ${distance} s from now`,
    delivery: { timestampSeconds: nowSeconds + distance },
    options: { now },
  })),
  {
    name: 'a timestamp 300 s old, at the end of its last second',
    delivery: { timestampSeconds: nowSeconds - 300 },
    options: { now: () => now() + 999 },
  },
  {
    name: 'a timestamp with zeros before it',
    delivery: withSignature(mac(`00${nowSeconds}`), `00${nowSeconds}`),
    options: { now },
  },
  {
    name: "an age within a tolerance of one's own",
    delivery: { timestampSeconds: nowSeconds - 86_400 },
    options: { now, toleranceSeconds: 86_400 },
  },
  {
    name: 'no tolerance, and no age',
    delivery: { timestampSeconds: nowSeconds },
    options: { now, toleranceSeconds: 0 },
  },
];

const byBody = { scheme: 'body' } as const;
const byTimestamp = { scheme: 'timestamped', timestampSeconds: nowSeconds } as const;
const timestampAdded = { ...byBody, headers: { 'X-Kiket-Timestamp': `${nowSeconds}` } };
const timestampRemoved = { ...byTimestamp, headers: { 'X-Kiket-Timestamp': undefined } };
const nonsenseAdded = { ...byBody, headers: { 'X-Kiket-Timestamp': 'nonsense' } };
/** As the platform's SDK for Python signs. */
const isoAdded = { ...byBody, headers: { 'X-Kiket-Timestamp': '2025-11-24T16:00:00.000000+00:00' } };
const timestampAddedTwice = { ...byBody, headers: twice('X-Kiket-Timestamp', `${nowSeconds}`) };
type Schemes = KiketOptions['signatureSchemes'];
const [both, onlyBody, onlyTimestamped]: Schemes[] = [['timestamped', 'body'], ['body'], ['timestamped']];

const schemesRefused: [string, Schemes, RefusedCase['delivery'] & object, RefusedCase['refusal']][] = [
  ['a timestamped signature presented as one of the body', undefined, timestampRemoved, mismatch],
  ['a signature of the body presented as a timestamped one', undefined, timestampAdded, mismatch],
  ['a timestamped signature presented as one of the body', both, timestampRemoved, mismatch],
  ['a signature of the body presented as a timestamped one', both, timestampAdded, mismatch],
  ['a timestamped signature', onlyBody, byTimestamp, mismatch],
  ['a timestamped signature without its timestamp', onlyBody, timestampRemoved, mismatch],
  ['a signature of the body', onlyTimestamped, byBody, schemeRefused],
  ['a signature of the body presented as a timestamped one', onlyTimestamped, timestampAdded, mismatch],
  ['a timestamped signature without its timestamp', onlyTimestamped, timestampRemoved, schemeRefused],
  ['a signature of the body beside a time in a form of its own', onlyTimestamped, isoAdded, malformed],
];

const schemesReceived: [string, Schemes, RefusedCase['delivery'] & object, 'body' | 'timestamped'][] = [
  ['a signature of the body', undefined, byBody, 'body'],
  ['a timestamped signature', undefined, byTimestamp, 'timestamped'],
  ['a signature of the body', both, byBody, 'body'],
  ['a timestamped signature', both, byTimestamp, 'timestamped'],
  ['a signature of the body', onlyBody, byBody, 'body'],
  ['a signature of the body beside an ignored timestamp', onlyBody, timestampAdded, 'body'],
  ['a signature of the body beside an ignored nonsense', onlyBody, nonsenseAdded, 'body'],
  ['a signature of the body beside a time in a form of its own', undefined, isoAdded, 'body'],
  ['a signature of the body beside a time in a form of its own', both, isoAdded, 'body'],
  ['a signature of the body beside a timestamp that is sent twice', undefined, timestampAddedTwice, 'body'],
  ['a timestamped signature', onlyTimestamped, byTimestamp, 'timestamped'],
];

/** What kiketVerify has found out, as an answer. */
const showSignature = kiketHandler(({ verified, signature }) => ({ verified, ...signature }));

describeMajors('kiketVerify', (express) => {
  describe.each(pathNames)('in %s', (path) => {
    const stagesOf = pathsToHandler[path]!;

    it.each(refused)('should refuse with $refusal.code: $name', async (row) => {
      await expectRefused(observed(express, stagesOf(row.options ?? {})), row);
    });

    it.each(received)('should receive: $name', async (row) => {
      await expectReceived(observed(express, stagesOf(row.options ?? {})), row);
    });

    it.each(schemesRefused)(
      'should refuse %s where %j is listed',
      async (name, signatureSchemes, delivery, refusal) => {
        const stages = stagesOf({ signatureSchemes, now });
        const valid = { ...(signatureSchemes === onlyBody ? byBody : byTimestamp) };
        await expectRefused(observed(express, stages), { name, delivery, refusal, valid });
      },
    );

    it.each(schemesReceived)(
      'should receive %s where %j is listed',
      async (name, signatureSchemes, delivery, scheme) => {
        const stages = stagesOf({ signatureSchemes, now });
        const timestampSeconds = scheme === 'body' ? undefined : nowSeconds;
        const reply = { verified: true, scheme, secretIndex: 0, timestampSeconds };
        await expectReceived(observed(express, stages, showSignature), { name, delivery }, reply);
      },
    );

    it('should go by the clock of the moment, one that is set after the start too', async () => {
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

    it('should refuse an age that its own tolerance does not cover', async () => {
      const row = { name: 'an age of 2 s', delivery: { timestampSeconds: nowSeconds - 2 }, refusal: stale };
      const stages = stagesOf({ now, toleranceSeconds: 1 });
      await expectRefused(observed(express, stages), { ...row, valid: { timestampSeconds: nowSeconds - 1 } });
    });

    it('should refuse every age when the clock is broken', async () => {
      let time = Number.NaN;
      const stages = stagesOf({ now: () => time });
      const { app } = observed(express, stages);
      await deliver(app, example, { timestampSeconds: nowSeconds }).expect(401);
      time = now();
      await deliver(app, example, { timestampSeconds: nowSeconds }).expect(200);
    });

    it('should refuse a captured delivery whose timestamp is moved into the body, where it would not go stale', async () => {
      const delivery = { headers: { ...signatureOf(body, byTimestamp), 'X-Kiket-Timestamp': undefined } };
      const row = { name: 'the bytes that were signed', payload: `${nowSeconds}.${body}`, delivery, refusal: mismatch };
      await expectRefused(observed(express, stagesOf({})), row);
    });

    describe.each<[string, KiketOptions['secret'], number, string | Buffer]>([
      ['a text', secret, 0, secret],
      ['its bytes', Buffer.from(secret), 0, secret],
      ['a KeyObject', createSecretKey(Buffer.from(secret)), 0, secret],
      ['a text that is not ASCII', 'sécrét-✓', 0, Buffer.from('sécrét-✓')],
      ['bytes that are no text', Buffer.from([0, 255, 10, 128]), 0, Buffer.from([0, 255, 10, 128])],
      ['the current one of two', [secret, 'previous'], 0, secret],
      ['the previous one of two', ['current', secret], 1, secret],
      ['the last of many, in all forms', ['a', Buffer.from('b'), createSecretKey(Buffer.from('c')), secret], 3, secret],
      ['the first of two that are the same', [secret, secret], 0, secret],
    ])('with %s as the secret', (_name, configured, secretIndex, signedBy) => {
      it.each([byBody, byTimestamp])('should tell the place of the secret ($scheme)', async (signing) => {
        const app = observed(express, stagesOf({ secret: configured, now }), showSignature);
        const timestampSeconds = signing.scheme === 'body' ? undefined : nowSeconds;
        const reply = { verified: true, scheme: signing.scheme, secretIndex, timestampSeconds };
        await expectReceived(app, { name: '', delivery: { ...signing, secret: signedBy } }, reply);
      });

      it('should refuse the signature of a secret that is not among them', async () => {
        const delivery = { secret: 'retired' };
        const valid = { secret: signedBy };
        const app = observed(express, stagesOf({ secret: configured }));
        await expectRefused(app, { name: '', delivery, valid, refusal: mismatch });
      });
    });

    it('should not see what is done to the list of secrets afterwards', async () => {
      const secrets = [secret];
      const { app } = observed(express, stagesOf({ secret: secrets }));
      secrets[0] = 'another';
      await deliver(app).expect(200);
    });
  });

  it.each([
    ['no signature', withSignature(undefined)],
    ['a malformed one', withSignature('nonsense')],
    ['a stale one', { timestampSeconds: nowSeconds - 301 }],
  ])('should refuse by the headers before a byte of the body has come: %s', async (_name, delivery) => {
    const { app } = observed(express, [kiketVerify(secret, { now })]);
    const { head } = signedRequest(body, delivery);
    const answer = await Connection.to(app, (connection) => connection.write(head).answer());
    expect(answer?.status).toBe(401);
  });

  it('should name both ways out where a request without a signature is refused', async () => {
    const response = await deliver(observed(express, [kiketVerify(secret)]).app, example, withSignature(undefined));
    const { message } = (response.body as { error: { message: string } }).error;
    expect(message).toMatch(
      /app\.use\('\/kiket', kiketVerify\(secret\)\).*signatureRequired: false.*req\.kiket\?\.verified/,
    );
  });

  it.each([
    ['of the body', byBody, 'HMAC-SHA256 of the body with', '{}', '2 bytes, with no newline at its end'],
    ['of the body', byBody, 'HMAC-SHA256 of the body with', '{}\n', '3 bytes, with a newline at its end'],
    ['of the body', byBody, 'HMAC-SHA256 of the body with', '', '0 bytes, with no newline at its end'],
    ['with a timestamp', byTimestamp, 'HMAC-SHA256 of <X-Kiket-Timestamp>.<body> with', '{}', '2 bytes, '],
  ])('should say what a signature %s was compared with', async (_name, signing, formula, payload, size) => {
    const { app } = observed(express, [kiketVerify(secret, { now })]);
    const response = await deliver(app, payload, { ...signing, secret: 'another' }).expect(401);
    const { code, message } = (response.body as { error: { code: string; message: string } }).error;
    expect(code).toBe('signature.mismatch');
    expect(message).toContain(formula);
    expect(message).toContain(`The body has ${size}`);
    const heading = /README of kiket-express says under "(.+?)"/.exec(message)?.[1];
    expect(readFileSync(join(__dirname, '../../../README.md'), 'utf8')).toMatch(new RegExp(`^## ${heading}$`, 'm'));
    // Nothing that helps a forger.
    expect(message).not.toMatch(/[0-9a-f]{16}/i);
    expect(message).not.toContain(secret);
  });

  describe('onRefused', () => {
    function watched(onRefused: (error: KiketError, req: Request) => void) {
      const app = express();
      app.post('/kiket', kiketVerify(secret, { onRefused }), (_req, res) => void res.json('received'));
      app.use(kiketErrorHandler());
      return app;
    }

    it.each([...signatures, ...bodies])('should be told once of $refusal.code: $name', async (row) => {
      const seen: unknown[] = [];
      const app = watched((error, req) => seen.push([error.code, req.path]));
      await answersTo(app, [signedRequest(bytesOf(row.payload ?? body), row.delivery)]);
      expect(seen).toEqual([[row.refusal.code, '/kiket']]);
    });

    it('should not be told of a delivery that is valid', async () => {
      const onRefused = jest.fn();
      await deliver(watched(onRefused)).expect(200);
      expect(onRefused).not.toHaveBeenCalled();
    });

    it.each(failingCallbacks)('should change nothing when it %s', async (_what, onRefused) => {
      const app = watched(onRefused);
      const response = await deliver(app, example, { secret: 'another' }).expect(401);
      expect(response.body).toMatchObject({ error: { code: 'signature.mismatch', retryable: false } });
      await deliver(app).expect(200);
    });
  });
});
