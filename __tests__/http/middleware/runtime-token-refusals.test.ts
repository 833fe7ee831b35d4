import { createHmac, sign } from 'node:crypto';
import type { captureRawBody, KiketMiddleware } from 'kiket-express';
import { Connection } from '../../support/connection';
import { example } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { createKey, mintHmacToken, mintToken, signWith, stall, text } from '../../support/key-server';
import { expectRefused, final, observed, retried, twice, type Refusal } from '../../support/refusals';
import {
  carrying,
  claims,
  found,
  issuer,
  key,
  looking,
  modeNames,
  modes,
  NOW,
  sentIn,
  send,
  startPlatform,
  tokenWith,
  type PartialTokenOptions,
} from '../../support/runtime-token';
import { signedRequest } from '../../support/signed-request';

const invalid = final(401, 'token.invalid');
const unavailable = { ...retried(503, 'token.keys_unavailable'), retryAfter: '1' };
const malformed = final(400, 'payload.malformed');

const stranger = createKey('first');
const pem = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const [header, payload, signature] = tokenWith().split('.') as [string, string, string];
const [, otherPayload] = tokenWith({ scopes: ['*'] }).split('.') as [string, string, string];

function none(alg: string): string {
  return signWith({ alg, kid: 'first' }, claims, () => Buffer.alloc(0));
}

/** Signed with the platform's key: only the claims are wrong. */
function signed(protectedHeader: unknown, said: unknown): string {
  return signWith(protectedHeader, said, (data) =>
    sign('sha256', data, { key: key.privateKey, dsaEncoding: 'ieee-p1363' }),
  );
}

function hmac(data: Buffer): Buffer {
  return createHmac('sha256', pem).update(data).digest();
}

const es256 = { alg: 'ES256', kid: 'first' };
const attackersKeys = 'http://127.0.0.1:9/canary/keys.json';

/** jose guarantees most of these; token-verifier.test.ts has all reasons. */
const tokens: Record<string, unknown> = {
  'no token': undefined,
  'a token that is null': null,
  'an empty token': '',
  'a token in an array': [tokenWith()],
  'a token in an object': { toString: tokenWith() },
  'a number': 42,
  'the example of the contract': 'rt_123...',
  'an expired token': tokenWith({ exp: NOW }),
  'another issuer': tokenWith({ iss: `${issuer}.example` }),
  'a token without an algorithm': none('none'),
  'a token without its signature': `${header}.${payload}.`,
  'an HMAC with the public key in PEM': mintHmacToken(pem, claims, { kid: 'first' }),
  'an HMAC with the public key, named ES256': signWith(es256, claims, hmac),
  'an RSA signature, named ES256': mintToken(createKey('first', 'RS256'), claims, { alg: 'ES256' }),
  'a signature in DER': signWith(es256, claims, (data) => sign('sha256', data, key.privateKey)),
  'a signature of another key': mintToken(stranger, claims),
  'a key of its own': mintToken(stranger, claims, { jwk: stranger.jwk, kid: undefined }),
  'a key server of its own': mintToken(stranger, claims, { jku: attackersKeys, x5u: attackersKeys }),
  'a critical extension': tokenWith({}, { crit: ['exp'], exp: NOW }),
  'a payload that is not encoded': tokenWith({}, { b64: false, crit: ['b64'] }),
  'a token of another type': tokenWith({}, { typ: 'at+jwt' }),
  'the payload of another token': `${header}.${otherPayload}.${signature}`,
  'a changed signature': `${header}.${payload}.${flip(signature)}`,
  'claims by a prototype': signed(es256, `{"__proto__":${JSON.stringify(claims)}}`),
  'a claim of the wrong type': tokenWith({ org_id: ['700007'] }),
};

/** Replaces a character by one with other bits, all of which are decoded. */
function flip(part: string): string {
  const at = part.length >> 1;
  return `${part.slice(0, at)}${part[at] === 'A' ? 'B' : 'A'}${part.slice(at + 1)}`;
}

interface Row {
  readonly name: string;
  readonly body: object | string | Buffer;
  readonly refusal?: Refusal;
  readonly headers?: Record<string, string | undefined>;
  readonly options?: PartialTokenOptions;
}

const valid = carrying(tokenWith());

const deliveries: Row[] = [
  { name: 'another organization in the header', body: valid, headers: { 'X-Kiket-Organization': '990099' } },
  { name: 'another project in the header', body: valid, headers: { 'X-Kiket-Project': '990099' } },
  {
    name: 'another organization in the header, of a token without project',
    body: carrying(tokenWith({ proj_id: undefined }), { issue: {} }),
    headers: { 'X-Kiket-Organization': '990099' },
  },
  { name: 'no authentication', body: { ...example, authentication: undefined } },
  { name: 'authentication that is null', body: { ...example, authentication: null } },
  { name: 'authentication in an array', body: { ...example, authentication: [valid.authentication] } },
  { name: 'a token in the place of authentication', body: { ...example, authentication: tokenWith() } },
  { name: 'authentication by a prototype', body: `{"event":"a","__proto__":${JSON.stringify(valid)}}` },
  {
    name: 'a token by a prototype',
    body: `{"event":"a","authentication":{"__proto__":${JSON.stringify(valid.authentication)}}}`,
  },
  {
    name: 'authentication twice, of which the last one counts',
    body: JSON.stringify(valid).replace(/}$/, `,"authentication":{"runtime_token":"canary"}}`),
  },
  {
    name: 'a token twice, of which the last one counts',
    body: `{"event":"a","authentication":{"runtime_token":"${tokenWith()}","runtime_token":"canary"}}`,
  },
  { name: 'a token elsewhere in the body', body: { ...example, authentication: {}, runtime_token: tokenWith() } },
  {
    name: 'a token in headers',
    body: { ...example, authentication: {} },
    headers: { Authorization: `Bearer ${tokenWith()}`, 'X-Kiket-Runtime-Token': tokenWith() },
  },
  { name: 'another audience', body: carrying(tokenWith({ aud: 'canary' })), options: { audience: 'ours' } },
  { name: 'no audience', body: valid, options: { audience: 'ours' } },
  {
    name: 'an audience in an object',
    body: carrying(tokenWith({ aud: { 0: 'ours' } })),
    options: { audience: 'ours' },
  },
  { name: 'malformed JSON', body: '{"authentication":canary', refusal: malformed },
  { name: 'a JSON array', body: JSON.stringify([valid]), refusal: malformed },
  { name: 'JSON null', body: 'null', refusal: malformed },
  { name: 'an empty body', body: '', refusal: malformed },
  { name: 'what is not UTF-8', body: Buffer.from([0x7b, 0xff, 0x7d]), refusal: malformed },
  { name: 'two byte order marks', body: `\ufeff\ufeff${JSON.stringify(valid)}`, refusal: malformed },
  {
    name: 'UTF-16',
    body: Buffer.from(`\ufeff${JSON.stringify(valid)}`, 'utf16le'),
    refusal: malformed,
  },
  {
    name: 'a compressed body',
    body: valid,
    headers: { 'Content-Encoding': 'gzip' },
    refusal: final(415, 'body.encoding_unsupported'),
  },
];

/** Bodies that contradict their token, which alone authenticates them. */
const contradictions: Row[] = [
  { name: 'another project in the body', body: carrying(tokenWith(), { issue: { project_id: 990_099 } }) },
  {
    name: 'another project in the body, as a string',
    body: carrying(tokenWith(), { issue: { project_id: '990099' } }),
  },
  { name: 'a project in the body that is a fraction', body: carrying(tokenWith(), { issue: { project_id: 27.5 } }) },
  { name: 'projects in the body in an array', body: carrying(tokenWith(), { issue: { project_id: [27] } }) },
  { name: 'a project in the body that is false', body: carrying(tokenWith(), { issue: { project_id: false } }) },
  { name: 'a project in the body that is zero', body: carrying(tokenWith(), { issue: { project_id: 0 } }) },
  { name: 'a project in the body, and none in the token', body: carrying(tokenWith({ proj_id: undefined })) },
  { name: 'a project in the body, and null in the token', body: carrying(tokenWith({ proj_id: null })) },
  ...['case', 'data', 'payload'].map((member) => {
    const other = { project_id: 990_099 };
    const fields = { [member]: member === 'case' ? other : { case: other } };
    return { name: `another project in ${member}`, body: carrying(tokenWith(), fields) };
  }),
  { name: 'another organization in the body', body: carrying(tokenWith(), { organization_id: 990_099 }) },
  {
    name: 'another organization in the issue',
    body: carrying(tokenWith(), { issue: { project_id: 27, organization_id: 990_099 } }),
  },
  {
    name: 'a project in the body that a header confirms, and another in the token',
    body: carrying(tokenWith({ proj_id: 990_099 })),
    headers: { 'X-Kiket-Project': '27' },
  },
  {
    name: 'a project twice, of which the last one counts',
    body: JSON.stringify(valid).replace('"project_id":27', '"project_id":27,"project_id":990099'),
  },
  {
    name: 'an issue twice, of which the last one counts',
    body: JSON.stringify(valid).replace(/}$/, ',"issue":{"project_id":990099}}'),
  },
];

function expectSilence(response: string, token: unknown): void {
  expect(response).not.toMatch(/canary|990099|700007|eyJ|\*{8}/);
  for (const part of typeof token === 'string' ? token.split('.') : []) {
    if (part.length > 5) expect(response).not.toContain(part);
  }
}

describeMajors('kiketRuntimeToken', (express) => {
  afterEach(() => jest.restoreAllMocks());

  describe.each(modeNames)('%s', (mode) => {
    const toCase = ({ name, body, refusal = invalid, headers }: Row) => ({
      name,
      payload: body,
      refusal,
      delivery: sentIn(mode, headers),
      valid: { payload: carrying(tokenWith({ aud: 'ours' })), ...sentIn(mode) },
    });

    it.each(Object.entries(tokens))('should refuse %s', async (name, token) => {
      const { stages } = await startPlatform();
      const app = observed(express, stages(mode));
      const { text } = await expectRefused(app, toCase({ name, body: carrying(token) }));
      expectSilence(text, token);
    });

    it.each(deliveries)('should refuse $name', async (row) => {
      const { stages } = await startPlatform();
      const { text } = await expectRefused(observed(express, stages(mode, row.options)), toCase(row));
      expectSilence(text, undefined);
    });

    it.each(contradictions)(
      `should ${modes[mode]!.isSigned ? 'leave to the signature' : 'refuse'}: $name`,
      async (row) => {
        const { stages } = await startPlatform();
        const app = observed(express, stages(mode));
        if (!modes[mode]!.isSigned) {
          const { text } = await expectRefused(app, toCase(row));
          return expectSilence(text, undefined);
        }
        // The header contradicts the token, not the signed body.
        const { headers = {} } = row;
        const { status } = await send(app.app, row.body, sentIn(mode, headers));
        expect(status).toBe('X-Kiket-Project' in headers ? 401 : 200);
      },
    );

    it.each<[name: string, framing: 'length' | 'chunked']>([
      ['is announced', 'length'],
      ['comes in chunks', 'chunked'],
    ])('should refuse a body over the limit that %s', async (name, framing) => {
      const { stages } = await startPlatform();
      const limit = Buffer.byteLength(JSON.stringify(valid)) + 100;
      const app = observed(express, stages(mode, { limit }));
      const large = { ...valid, context: { padding: 'x'.repeat(200) } };
      const row = toCase({ name, body: large, refusal: final(413, 'body.too_large') });
      // After kiketVerify the bytes have been read, with its limit.
      if (modes[mode]!.isSigned) return expect((await send(app.app, large, { framing })).status).toBe(200);
      await expectRefused(app, {
        ...row,
        delivery: { ...row.delivery, framing },
        valid: { payload: valid, ...sentIn(mode) },
      });
    });

    it('should refuse a body that was parsed before without keeping its bytes', async () => {
      const { stages } = await startPlatform();
      const app = observed(express, [express.json() as KiketMiddleware, ...stages(mode)]);
      const { status, body } = await send(app.app, valid, sentIn(mode));
      expect([status, body.error?.code]).toEqual([500, 'body.already_parsed']);
    });

    it('should accept a body that was parsed before if its bytes were kept, and ignore later changes of it', async () => {
      const { stages } = await startPlatform();
      const forge: KiketMiddleware = (req, _res, next) => {
        Object.assign(req, { body: { event: 'forged', authentication: {} } });
        next();
      };
      const json = express.json({ verify: captureAlways }) as KiketMiddleware;
      const app = looking(express, [json, forge, ...stages(mode)], ({ event }) => event);
      expect(await found(app, valid, sentIn(mode))).toBe(example.event);
    });

    it('should send no response to a body that ends too soon, and receive the next delivery', async () => {
      const { stages } = await startPlatform();
      const codes: unknown[] = [];
      const { app } = observed(
        express,
        stages(mode, { onCompleted: ({ code, status }) => void codes.push(code, status) }),
      );
      const { head, body } = signedRequest(JSON.stringify(valid), sentIn(mode));
      await Connection.to(app, async (connection) => {
        await connection.writeHead(head);
        connection.write(body.subarray(0, 20));
        connection.break();
      });
      expect(await send(app, valid, sentIn(mode))).toMatchObject({ status: 200 });
      expect(codes).toHaveLength(4);
      expect(codes.slice(2)).toEqual([undefined, 200]);
      expect(codes[1]).toBe(0);
    });

    it('should respond with 503 while there are no keys and the key server fails, and recover in a second', async () => {
      const { stages, server } = await startPlatform();
      const clock = jest.spyOn(Date, 'now').mockReturnValue(NOW * 1000);
      server.respond = text(500, 'canary');
      const app = observed(express, stages(mode));
      const { status, body, headers, ...response } = await send(app.app, valid, sentIn(mode));
      const { code, retryable } = body.error!;
      expect({ status, code, retryable, retryAfter: headers['retry-after'] }).toEqual(unavailable);
      expectSilence(response.text, undefined);
      server.respond = undefined;
      clock.mockReturnValue(NOW * 1000 + 1000);
      expect(await send(app.app, valid, sentIn(mode))).toMatchObject({ status: 200 });
    });

    it('should fetch no keys from a server that a delivery names', async () => {
      const { stages, server } = await startPlatform();
      const { server: attackers } = await startPlatform();
      attackers.publish(stranger);
      const token = mintToken(stranger, { ...claims, iss: attackers.url }, { jku: attackers.url, x5u: attackers.url });
      const api = { base_url: new URL(attackers.url).origin, runtime_header: 'X-Kiket-Runtime-Token' };
      const app = observed(express, stages(mode));
      expect(await send(app.app, carrying(token, { api }), sentIn(mode))).toMatchObject({ status: 401 });
      expect(attackers.connections()).toBe(0);
      expect(server.connections()).toBe(1);
    });

    it('should verify one token of two, and give that one to handlers', async () => {
      const { stages } = await startPlatform();
      const body = JSON.stringify(carrying('canary')).replace(
        /}$/,
        `,"authentication":{"runtime_token":"${tokenWith()}"}}`,
      );
      const app = looking(express, stages(mode), ({ auth, rawBody }) => [
        auth.tokenType ?? null,
        auth.runtimeToken?.includes('canary'),
        auth.tokenId,
        rawBody.includes('canary'),
      ]);
      expect(await found(app, body, sentIn(mode))).toEqual([null, false, 'canary_token_id', true]);
    });

    it('should not let a prototype in the body or the token grant anything', async () => {
      const { stages } = await startPlatform();
      const token = signed(es256, JSON.stringify(claims).replace(/}$/, ',"__proto__":{"scopes":["*"],"polluted":1}}'));
      const body = JSON.stringify(carrying(token)).replace(
        /}$/,
        ',"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
      );
      const app = looking(express, stages(mode), ({ auth, payload }) => [
        auth.scopes,
        'polluted' in payload,
        'polluted' in {},
      ]);
      expect(await found(app, body, sentIn(mode))).toEqual([claims.scopes, false, false]);
    });

    it.each<[name: string, headers: Record<string, string>, status: number, code: string]>([
      ['another event', { 'X-Kiket-Event': 'issue.created' }, 400, 'delivery.conflict'],
      ['another version', { 'X-Kiket-Event-Version': 'v2' }, 400, 'delivery.conflict'],
      ['the event twice', twice('X-Kiket-Event', example.event, 'issue.created'), 400, 'delivery.conflict'],
    ])('should refuse a header with %s', async (_name, headers, status, code) => {
      const { stages } = await startPlatform();
      const { app } = observed(express, stages(mode));
      const { body, ...response } = await send(app, valid, sentIn(mode, headers));
      expect([response.status, body.error?.code]).toEqual([status, code]);
    });
  });

  describe('in place of kiketVerify', () => {
    const mode = 'in place of kiketVerify';

    it('should accept a token again with another body, but only of its project', async () => {
      const { stages } = await startPlatform();
      const app = looking(express, stages(mode), ({ event, projectId, payload }) => [
        event,
        projectId,
        payload.context,
      ]);
      const token = tokenWith();
      const replayed = (project: number) =>
        carrying(token, { event: 'issue.created', issue: { project_id: project }, context: { forged: true } });
      expect(await found(app, carrying(token), sentIn(mode))).toEqual([example.event, 27, example.context]);
      expect(await found(app, replayed(27), sentIn(mode))).toEqual(['issue.created', 27, { forged: true }]);
      expect(await send(app, replayed(28), sentIn(mode))).toMatchObject({
        status: 401,
        body: { error: { code: 'token.invalid' } },
      });
    });

    it('should ignore a signature that was not checked', async () => {
      const { stages } = await startPlatform();
      const app = looking(express, stages(mode), ({ secrets, signature }) => [secrets.keys(), signature ?? null]);
      expect(await found(app, valid, {})).toEqual([[], null]);
    });

    it('should not hang when the key server begins a response and never ends it', async () => {
      const { stages, server } = await startPlatform();
      server.respond = stall;
      const { app } = observed(express, stages(mode, { deadlineMs: 100 }));
      const { status, body } = await send(app, valid, sentIn(mode));
      expect([status, body.error?.code]).toEqual([503, 'deadline.exceeded']);
    });
  });
});

/** captureRawBody keeps the bytes of signed requests only. */
const captureAlways: typeof captureRawBody = (req, _res, buffer) => {
  (req as { rawBody?: Buffer }).rawBody = buffer;
};
