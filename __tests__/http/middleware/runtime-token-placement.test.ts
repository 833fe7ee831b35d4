import { channel, tracingChannel } from 'node:diagnostics_channel';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import {
  captureRawBody,
  kiket,
  kiketErrorHandler,
  kiketParse,
  kiketRawBody,
  kiketRespond,
  kiketVerify,
  type KiketError,
  type KiketMiddleware,
  type KiketRecord,
} from 'kiket-express';
import { bodyReaders } from '../../support/body-readers';
import { Connection } from '../../support/connection';
import { example, secret } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { responsesTo, observed } from '../../support/refusals';
import {
  carrying,
  claims,
  found,
  looking,
  send,
  startPlatform,
  tokenWith,
  unsigned,
  type PartialTokenOptions,
  type Platform,
} from '../../support/runtime-token';
import { signedRequest, type SignedRequestOptions } from '../../support/signed-request';
import { turns } from '../../support/turns';
import { until } from '../../support/until';

const valid = carrying(tokenWith());
const invalid = carrying(tokenWith({ iss: 'canary' }));
const wronglySigned: SignedRequestOptions = { secret: 'another secret' };
const withoutSignature = { 'X-Kiket-Signature': undefined };

type Stages = (platform: Platform, options?: PartialTokenOptions) => KiketMiddleware[];

/** Chains in which only a token authenticates the delivery. */
const alone: Record<string, Stages> = {
  'kiketRuntimeToken, kiketParse': ({ runtimeToken }, options) => [runtimeToken(options), kiketParse()],
  'kiketRawBody, kiketRuntimeToken, kiketParse': ({ runtimeToken }, options) => [
    kiketRawBody(),
    runtimeToken(options),
    kiketParse(),
  ],
  'kiketRuntimeToken, kiketRawBody, kiketParse': ({ runtimeToken }, options) => [
    runtimeToken(options),
    kiketRawBody(),
    kiketParse(),
  ],
  'kiketRuntimeToken, kiketParse, kiketRespond': ({ runtimeToken }, options) => [
    runtimeToken(options),
    kiketParse(),
    kiketRespond(),
  ],
  'kiketRuntimeToken twice, kiketParse': ({ runtimeToken }, options) => [
    runtimeToken(options),
    runtimeToken(options),
    kiketParse(),
  ],
};

/** Chains that require both a signature and a token. */
const both: Record<string, Stages> = {
  'kiketRespond, kiketVerify, kiketRuntimeToken, kiketParse': ({ runtimeToken }) => [
    kiketRespond(),
    kiketVerify(secret),
    runtimeToken(),
    kiketParse(),
  ],
  'kiketVerify, kiketRuntimeToken, kiketParse, kiketRespond': ({ runtimeToken }) => [
    kiketVerify(secret),
    runtimeToken(),
    kiketParse(),
    kiketRespond(),
  ],
  'kiketRawBody, kiketVerify, kiketRuntimeToken, kiketParse': ({ runtimeToken }) => [
    kiketRawBody(),
    kiketVerify(secret),
    runtimeToken(),
    kiketParse(),
  ],
  'kiketRuntimeToken, kiketVerify, kiketParse': ({ runtimeToken }) => [
    runtimeToken(),
    kiketVerify(secret),
    kiketParse(),
  ],
  'kiketRuntimeToken, kiket()': ({ runtimeToken }) => [runtimeToken(), kiket({ secret })],
};

/** Chains in which a token decides when no signature has been verified. */
const eitherWay: Record<string, (platform: Platform) => KiketMiddleware[]> = {
  'signatureRequired: false': ({ runtimeToken }) => [
    kiketVerify(secret, { signatureRequired: false }),
    runtimeToken(),
    kiketParse(),
  ],
  'signatureRequired: false, under a deadline': ({ runtimeToken }) => [
    kiketRespond(),
    kiketVerify(secret, { signatureRequired: false }),
    runtimeToken(),
    kiketParse(),
  ],
  'reportOnly: true': ({ runtimeToken }) => [kiketVerify(secret, { reportOnly: true }), runtimeToken(), kiketParse()],
  'reportOnly: true, under a deadline': ({ runtimeToken }) => [
    kiketRespond(),
    kiketVerify(secret, { reportOnly: true }),
    runtimeToken(),
    kiketParse(),
  ],
};

const tooLate: Record<string, (platform: Platform) => KiketMiddleware[]> = {
  'after kiketParse': ({ runtimeToken }) => [kiketVerify(secret), kiketParse(), runtimeToken()],
  'after kiket()': ({ runtimeToken }) => [kiket({ secret }), runtimeToken()],
  'after itself and kiketParse': ({ runtimeToken }) => [runtimeToken(), kiketParse(), runtimeToken()],
  'after kiket() that only reports': ({ runtimeToken }) => [
    kiket({ secret: 'another secret', reportOnly: true }),
    runtimeToken(),
  ],
};

function trust({ verified, signature, auth, secrets }: Parameters<Parameters<typeof looking>[2]>[0]): object {
  return { verified, isSigned: signature !== undefined, scopes: auth.scopes, secrets: secrets.keys().length };
}
const byToken = { verified: true, isSigned: false, scopes: claims.scopes, secrets: 0 };
const bySignature = { verified: true, isSigned: true, scopes: claims.scopes, secrets: 2 };

const keepText: RequestHandler = (req, _res, next) => {
  let text = '';
  req.setEncoding('utf8').on('data', (part: string) => (text += part));
  req.on('end', () => {
    Object.assign(req, { rawBody: text });
    next();
  });
};

describeMajors('kiketRuntimeToken', (express) => {
  /** The response to one delivery, and its record. */
  async function outcome(
    stages: (platform: Platform) => KiketMiddleware[],
    payload: object,
    options: SignedRequestOptions,
  ): Promise<unknown[]> {
    const records: KiketRecord[] = [];
    const collect = (record: unknown) => void records.push(record as KiketRecord);
    channel('kiket:delivery').subscribe(collect);
    const { status, body } = await send(looking(express, stages(await startPlatform()), trust), payload, options);
    channel('kiket:delivery').unsubscribe(collect);
    return [status, body.found ?? body.error?.code, ...records.map((record) => record.code)];
  }

  describe.each(Object.entries(alone))('in %s', (_name, stages) => {
    it.each<[string, object, SignedRequestOptions, unknown[]]>([
      ['an unsigned delivery', valid, unsigned, [200, byToken, undefined]],
      ['a signature, which is not checked', valid, wronglySigned, [200, byToken, undefined]],
      ['a token that does not count', invalid, unsigned, [401, 'token.invalid', 'token.invalid']],
      ['no token', example, unsigned, [401, 'token.invalid', 'token.invalid']],
    ])('should decide by the token: %s', async (_what, payload, options, expected) => {
      expect(await outcome(stages, payload, options)).toEqual(expected);
    });

    it('should provide the secrets of the body with trustUnsignedBody', async () => {
      const trusting = (platform: Platform) => stages(platform, { trustUnsignedBody: true });
      expect(await outcome(trusting, valid, unsigned)).toEqual([200, { ...byToken, secrets: 2 }, undefined]);
    });
  });

  describe.each(Object.entries(both))('in %s', (_name, stages) => {
    it.each<[string, object, SignedRequestOptions, unknown[]]>([
      ['both', valid, {}, [200, bySignature, undefined]],
      ['a token that does not count', invalid, {}, [401, 'token.invalid', 'token.invalid']],
      ['a wrong signature', valid, wronglySigned, [401, 'signature.mismatch', 'signature.mismatch']],
      ['no signature', valid, { headers: withoutSignature }, [401, 'signature.missing', 'signature.missing']],
    ])('should require both: %s', async (_what, payload, options, expected) => {
      expect(await outcome(stages, payload, options)).toEqual(expected);
    });
  });

  describe.each(Object.entries(eitherWay))('after kiketVerify with %s', (name, stages) => {
    const mismatch = name.startsWith('reportOnly') ? byToken : 'signature.mismatch';

    it.each<[string, object, SignedRequestOptions, unknown[]]>([
      ['both', valid, {}, [200, bySignature, undefined]],
      ['a signature, and no token that counts', invalid, {}, [401, 'token.invalid', 'token.invalid']],
      ['a token alone', valid, { headers: withoutSignature }, [200, byToken, undefined]],
      ['neither', invalid, { headers: withoutSignature }, [401, 'token.invalid', 'token.invalid']],
      ['nothing at all', { event: 'a' }, { headers: withoutSignature }, [401, 'token.invalid', 'token.invalid']],
      [
        'a wrong signature, and a token',
        valid,
        wronglySigned,
        mismatch === byToken ? [200, byToken, undefined] : [401, mismatch, mismatch],
      ],
      [
        'a token of another project than the unsigned body',
        carrying(tokenWith({ proj_id: 28 })),
        { headers: withoutSignature },
        [401, 'token.invalid', 'token.invalid'],
      ],
    ])('should accept authenticated deliveries, and refuse others: %s', async (_what, payload, options, expected) => {
      expect(await outcome(stages, payload, options)).toEqual(expected);
    });

    it('should leave a refused delivery unverified', async () => {
      const seen: unknown[] = [];
      const platform = await startPlatform();
      const app = express();
      app.set('env', 'test');
      app.use((req, res, next) => {
        res.on('finish', () => seen.push(req.kiket?.verified, req.kiket?.auth, req.kiket?.secrets));
        next();
      });
      app.post('/kiket', ...stages(platform), kiketErrorHandler());
      await send(app, invalid, { headers: withoutSignature });
      expect(seen).toEqual([false, undefined, undefined]);
    });
  });

  it('should set a deadline again for a delivery that kiketVerify has passed on', async () => {
    const { runtimeToken } = await startPlatform();
    const stages = [
      kiketRespond({ deadlineMs: 100 }),
      kiketVerify(secret, { signatureRequired: false }),
      runtimeToken(),
      kiketParse(),
    ];
    const app = looking(express, stages, () => new Promise(() => undefined));
    const { status, body } = await send(app, valid, unsigned);
    expect([status, body.error?.code]).toEqual([503, 'deadline.exceeded']);
  });

  it('should not grant the scopes of the token when a later kiketVerify only reports', async () => {
    const { runtimeToken } = await startPlatform();
    const stages = [runtimeToken(), kiket({ secret, reportOnly: true })];
    const app = looking(express, stages, ({ verified, auth, organizationId }) => [
      verified,
      auth.source,
      auth.scopes,
      auth.tokenId ?? null,
      organizationId ?? null,
    ]);
    expect(await found(app, valid, wronglySigned)).toEqual([false, 'body', [], null, null]);
  });

  it('should replace a signature that later middlewares do not require', async () => {
    const { runtimeToken } = await startPlatform();
    const optional = { signatureRequired: false };
    for (const stages of [[kiket({ secret, ...optional })], [kiketVerify(secret, optional), kiketParse()]]) {
      const app = looking(express, [runtimeToken(), ...stages], trust);
      expect((await send(app, valid, unsigned)).status).toBe(200);
      const { status, body } = await send(app, valid, { secret: 'another secret' });
      expect([status, body.error?.code]).toEqual([401, 'signature.mismatch']);
    }
  });

  it.each(Object.entries(eitherWay))('should have one trace of an unsigned delivery: %s', async (_name, stagesOf) => {
    const told: string[] = [];
    const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];
    const subscribers = Object.fromEntries(names.map((name) => [name, () => void told.push(name)])) as never;
    const tracing = tracingChannel('kiket:delivery');
    const app = looking(express, stagesOf(await startPlatform()), trust);
    tracing.subscribe(subscribers);
    await send(app, valid, unsigned);
    tracing.unsubscribe(subscribers);
    expect(told).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
  });

  it('should leave nothing verified when it refuses a signed delivery', async () => {
    const { runtimeToken } = await startPlatform();
    const found: unknown[] = [];
    const app = express();
    app.post('/kiket', kiketVerify(secret), runtimeToken());
    const goOn: ErrorRequestHandler = (_error, req, res, _next) => {
      found.push(req.kiket?.verified);
      res.status(401).end();
    };
    app.use(goOn);
    await send(app, invalid);
    expect(found).toEqual([false]);
  });

  it('should not give the token to a delivery on which a later kiketVerify only reports', async () => {
    const { runtimeToken } = await startPlatform();
    const stages = [runtimeToken(), kiketVerify('another secret', { reportOnly: true }), kiketParse()];
    const app = looking(express, stages, ({ verified, auth, organizationId }) => [
      verified,
      auth.source,
      auth.scopes,
      organizationId,
    ]);
    const headers = { 'X-Kiket-Organization': String(claims.org_id) };
    expect((await send(app, valid, { headers })).body).toMatchObject({ found: [false, 'body', [], claims.org_id] });
  });

  it.each(Object.entries(tooLate))('should report that it is mounted too late %s', async (_name, stages) => {
    const { app } = observed(express, stages(await startPlatform()));
    const { status, body } = await send(app, valid, {});
    expect([status, body.error?.code]).toEqual([500, 'wiring.missing']);
    expect(body.error?.message).toMatch(/before kiketParse.*kiket\(\)/);
  });

  it.each<[name: string, before: (of: typeof express) => RequestHandler]>([
    ['express.json() that keeps the bytes', (of) => of.json({ verify: captureRawBody })],
    ['express.raw()', (of) => of.raw({ type: () => true })],
    ['express.text()', (of) => of.text({ type: () => true })],
    ['an adapter that keeps a string', () => keepText],
  ])('should take the body from %s', async (_name, before) => {
    const { runtimeToken } = await startPlatform();
    const app = looking(express, [before(express) as KiketMiddleware, runtimeToken(), kiketParse()], trust);
    // captureRawBody keeps the bytes of signed requests.
    expect(await found(app, valid, {})).toEqual(byToken);
  });

  describe.each(['length', 'chunked'] as const)('in front of a service, by %s', (framing) => {
    it.each([1024, 90 * 1024])('should leave all of %d bytes to express.json()', async (size) => {
      const { runtimeToken } = await startPlatform();
      const payload = carrying(tokenWith(), { context: { padding: 'é'.repeat(size / 2) } });
      const app = express();
      app.use('/kiket', runtimeToken());
      app.post('/kiket', express.json({ limit: '1mb' }), (req: Request, res: Response) => void res.json(req.body));
      const { text } = await send(app, payload, { ...unsigned, framing });
      expect(JSON.parse(text)).toEqual(payload);
    });

    it.each(Object.entries(bodyReaders).filter(([, { contentType }]) => contentType === 'application/json'))(
      'should leave the same body to %s as without it',
      async (_name, reader) => {
        const { runtimeToken } = await startPlatform();
        const responseWith = async (...before: KiketMiddleware[]): Promise<unknown[]> => {
          const app = express();
          app.set('env', 'test');
          app.post('/kiket', ...(before as RequestHandler[]), ...reader.handlers(express));
          const [response] = await responsesTo(app, [signedRequest(JSON.stringify(valid), { ...unsigned, framing })]);
          return [response?.status, response?.text];
        };
        expect(await responseWith(runtimeToken())).toEqual(await responseWith());
      },
    );

    it.each<[string, RequestHandler, RequestHandler[]]>([
      [
        'has paused it, and one behind it resumes it',
        (req, _res, next) => next(void req.pause()),
        [(req, _res, next) => next(void req.resume())],
      ],
      ['has set it flowing', (req, _res, next) => next(void req.resume()), []],
      ['listens to it', (req, _res, next) => next(void req.on('data', () => undefined)), []],
    ])('should leave the body when a middleware before it %s, and the keys are slow', async (...row) => {
      const [, before, between] = row;
      const { runtimeToken, server } = await startPlatform();
      const release = server.hold();
      void server
        .received(1)
        .then(() => turns())
        .then(release);
      const app = express();
      app.use(before, runtimeToken() as RequestHandler, ...between, express.json());
      app.post('/kiket', (req: Request, res: Response) => void res.json(req.body));
      const { text } = await send(app, valid, { ...unsigned, framing });
      expect(JSON.parse(text)).toEqual(valid);
    });

    it('should refuse with body.aborted when the connection ended while it waited', async () => {
      const { runtimeToken, server } = await startPlatform();
      const release = server.hold();
      const requests: Request[] = [];
      const app = express();
      app.use((req, _res, next) => next(void requests.push(req)), runtimeToken() as RequestHandler, express.json());
      const reached = new Promise((resolve) => {
        app.post('/kiket', (req: Request) => resolve(req.body));
        const handleError: ErrorRequestHandler = (error: KiketError, _req, _res, _next) => resolve(error.code);
        app.use(handleError);
      });
      await Connection.to(app, async (connection) => {
        const { head, body } = signedRequest(JSON.stringify(valid), { ...unsigned, framing });
        connection.write(head, body);
        await server.received(1);
        connection.break();
        await until(() => requests[0]!.destroyed);
        release();
        expect(await reached).toBe('body.aborted');
      });
    });
  });
});
