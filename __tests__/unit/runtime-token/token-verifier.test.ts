import fc from 'fast-check';
import { sign } from 'node:crypto';
import { SignatureError } from '../../../lib/errors';
import type { TokenOptions } from '../../../lib/runtime-token/options';
import { createKey, mintHmacToken, mintToken, signWith, startKeyServer, text } from '../../support/key-server';
import { claims, issuer, NOW } from '../../support/runtime-token';
import { messageOf, setUp, verdictOf, type VerifierSetup } from '../../http/runtime-token/tokens';

const es256 =
  ({ key }: VerifierSetup) =>
  (data: Buffer): Buffer =>
    sign('sha256', data, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });

describe('a runtime token', () => {
  it('should give what it says', async () => {
    const { key, verify } = await setUp();
    expect(await verify(mintToken(key, claims))).toEqual({
      organizationId: 700_007,
      projectId: 27,
      extensionId: 'com.canary.crm',
      tokenId: 'canary_token_id',
      scopes: ['canary.read', 'project:27'],
      expiresAt: new Date((NOW + 300) * 1000),
    });
  });

  it.each([undefined, null])('should need nothing but who issued it and until when: the rest is %s', async (absent) => {
    const { key, verify } = await setUp();
    const rest = { org_id: absent, proj_id: absent, ext_id: absent, scopes: absent, jti: absent };
    expect(await verify(mintToken(key, { iss: issuer, exp: NOW + 1, ...rest }))).toEqual({
      organizationId: undefined,
      projectId: undefined,
      extensionId: undefined,
      tokenId: undefined,
      scopes: [],
      expiresAt: new Date((NOW + 1) * 1000),
    });
  });

  it.each<[string, object, object?]>([
    ['of no type', {}],
    ['of type JWT', {}, { typ: 'JWT' }],
    ['of type jwt', {}, { typ: 'jwt' }],
    ['of a media type', {}, { typ: 'application/jwt' }],
    ['without a key id, where there is one key', {}, { kid: undefined }],
    ['that expires with the next millisecond', { exp: NOW + 0.001 }],
    ['that is valid from now', { nbf: NOW }],
    ['that lasts as long as a Date can', { exp: 8.64e12 }],
    ['issued in the future', { iat: NOW + 10 }],
    ['of an extension with a number', { ext_id: 5 }],
    ['with another claim', { pi_id: { deep: [] }, __proto__: null }],
  ])('should be accepted: one %s', async (_name, fields, header = {}) => {
    const { key, verify } = await setUp();
    expect(verdictOf(await verify(mintToken(key, { ...claims, ...fields }, header)))).toBe('ok');
  });

  it('should give the number of an extension as a text', async () => {
    const { key, verify } = await setUp();
    expect(await verify(mintToken(key, { ...claims, ext_id: 5 }))).toMatchObject({ extensionId: '5' });
  });

  it('should not take claims from a prototype', async () => {
    const { key, verify } = await setUp();
    const payload = JSON.stringify({ iss: issuer, exp: NOW + 1 }).replace('{', '{"__proto__":{"org_id":7},');
    expect(await verify(mintToken(key, payload))).toMatchObject({ organizationId: undefined });
  });
});

describe('a runtime token that is refused', () => {
  const stranger = createKey('first');

  it.each<[string, RegExp, (setup: VerifierSetup) => string]>([
    ['empty', /no signed JWT/, () => ''],
    ['an opaque text', /no signed JWT/, () => 'rt_0123456789'],
    ['dots', /no signed JWT/, () => '..'],
    ['two parts', /no signed JWT/, () => 'e30.e30'],
    ['four parts', /no signed JWT/, ({ key }) => `${mintToken(key, claims)}.e30`],
    ['encrypted', /no signed JWT/, () => 'e30.e30.e30.e30.e30'],
    ['padded', /no signed JWT/, ({ key }) => `${mintToken(key, claims)}==`],
    ['with a line break', /no signed JWT/, ({ key }) => `${mintToken(key, claims)}\n`],
    ['with Bearer before it', /no signed JWT/, ({ key }) => `Bearer ${mintToken(key, claims)}`],
    ['a header that is no JSON', /no signed JWT/, (b) => signWith('{', claims, es256(b))],
    ['a header that is null', /no signed JWT/, (b) => signWith('null', claims, es256(b))],
    ['a header that is a list', /no signed JWT/, (b) => signWith([], claims, es256(b))],
    ['no algorithm', /not signed with ES256/, ({ key }) => mintToken(key, claims, { alg: undefined })],
    ['longer than any', /longer than 16384/, ({ key }) => mintToken(key, { ...claims, pad: 'x'.repeat(16_384) })],
    ['claims that are no JSON', /no claims/, ({ key }) => mintToken(key, '{"iss":')],
    ['claims that are a list', /no claims/, ({ key }) => mintToken(key, [])],
    ['claims that are null', /no claims/, ({ key }) => mintToken(key, 'null')],
  ])('should be so as %s', async (_name, message, make) => {
    const test = await setUp();
    expect(messageOf(await test.verify(make(test)))).toMatch(message);
  });

  it.each<[string, RegExp, (setup: VerifierSetup) => string]>([
    ['none', /not signed with ES256/, () => signWith({ alg: 'none' }, claims, () => Buffer.alloc(0))],
    ['none with a key', /not signed with ES256/, ({ key }) => mintToken(key, claims, { alg: 'none' })],
    ['none in capitals', /not signed with ES256/, ({ key }) => mintToken(key, claims, { alg: 'NONE' })],
    ['es256', /not signed with ES256/, ({ key }) => mintToken(key, claims, { alg: 'es256' })],
    [
      'HS256 with the public key in PEM',
      /not signed with ES256/,
      ({ key }) =>
        mintHmacToken(key.publicKey.export({ type: 'spki', format: 'pem' }).toString(), claims, { kid: 'first' }),
    ],
    [
      'HS256 with the public key as published',
      /not signed with ES256/,
      ({ key }) => mintHmacToken(JSON.stringify(key.jwk), claims, { kid: 'first' }),
    ],
    ['RS256', /not signed with ES256/, () => mintToken(createKey('first', 'RS256'), claims)],
    ['ES384', /not signed with ES256/, () => mintToken(createKey('first', 'ES384'), claims)],
    ['ES256 of another key', /was not signed with the key/, () => mintToken(stranger, claims)],
    [
      'ES256 in DER',
      /was not signed with the key/,
      ({ key }) =>
        signWith({ alg: 'ES256', kid: 'first' }, claims, (data) => sign('sha256', data, { key: key.privateKey })),
    ],
    ['ES256 and nothing', /was not signed/, () => signWith({ alg: 'ES256', kid: 'first' }, claims, () => Buffer.of())],
    [
      'ES256 and zeros',
      /was not signed with the key/,
      () => signWith({ alg: 'ES256', kid: 'first' }, claims, () => Buffer.alloc(64)),
    ],
    [
      'ES256 over other claims',
      /was not signed with the key/,
      ({ key }) => {
        const [header, , signature] = mintToken(key, claims).split('.');
        const payload = mintToken(key, { ...claims, org_id: 8 }).split('.')[1];
        return [header, payload, signature].join('.');
      },
    ],
  ])('should be so by its algorithm or signature: %s', async (_name, message, make) => {
    const test = await setUp();
    expect(messageOf(await test.verify(make(test)))).toMatch(message);
  });

  it.each<[string, RegExp, object]>([
    ['a type of access tokens', /another type/, { typ: 'at+jwt' }],
    ['another media type', /another type/, { typ: 'application/at+jwt' }],
    ['an empty type', /another type/, { typ: '' }],
    ['a type that is null', /another type/, { typ: null }],
    ['a list of types', /another type/, { typ: ['JWT'] }],
    ['a type and a line break', /another type/, { typ: 'JWT\n' }],
    ['an extension that is critical', /no signed JWT|demands extensions/, { crit: ['exp'] }],
    ['an unencoded payload', /no signed JWT|demands extensions/, { crit: ['b64'], b64: false }],
    ['an encoded payload that is critical', /demands extensions/, { crit: ['b64'], b64: true }],
    ['nothing critical', /no signed JWT|demands extensions/, { crit: [] }],
    ['a key id that is unknown', /names no key/, { kid: 'second' }],
    ['a key id that is empty', /names no key/, { kid: '' }],
    ['a key id that is a number', /by what is no text/, { kid: 1 }],
    ['a key id that is null', /by what is no text/, { kid: null }],
    ['a key id of the prototype', /names no key/, { kid: '__proto__' }],
  ])('should be so by its header: %s', async (_name, message, header) => {
    const { key, verify } = await setUp();
    expect(messageOf(await verify(mintToken(key, claims, header)))).toMatch(message);
  });

  it.each<[string, RegExp, object]>([
    ['expired', /has expired/, { exp: NOW - 1 }],
    ['expired just now', /has expired/, { exp: NOW }],
    ['expired a part of a second ago', /has expired/, { exp: NOW - 0.5 }],
    ['expired before 1970', /has expired/, { exp: -1e300 }],
    ['not yet valid', /not valid yet/, { nbf: NOW + 0.001 }],
    ['from another issuer', /configured issuer/, { iss: 'kiket.example' }],
    ['from an issuer in capitals', /configured issuer/, { iss: 'KIKET.DEV' }],
    ['from a list of issuers', /configured issuer/, { iss: [issuer] }],
    ['from nobody', /configured issuer/, { iss: undefined }],
    ['without an end', /does not say when it expires/, { exp: undefined }],
  ])('should be so as one that is %s', async (_name, message, fields) => {
    const { key, verify } = await setUp();
    expect(messageOf(await verify(mintToken(key, { ...claims, ...fields })))).toMatch(message);
  });

  const noIds = [0, -1, 1.5, 2 ** 53, '7', '', true, [], [7], {}];
  const noTexts = ['', true, [], ['a'], {}];
  const noNumbers = ['1', `${NOW + 300}`, true, null, [NOW + 300], {}];

  it.each<[string, unknown]>([
    ...noIds.flatMap((value): [string, unknown][] => [
      ['org_id', value],
      ['proj_id', value],
    ]),
    ...[...noTexts, 0, -1, 1.5, 2 ** 53].map((value): [string, unknown] => ['ext_id', value]),
    ...[...noTexts, 1].map((value): [string, unknown] => ['jti', value]),
    ...[...noTexts, 1].map((value): [string, unknown] => ['sub', value]),
    ...['issues.read', 1, true, {}, [1], [null], ['a', ['b']]].map((value): [string, unknown] => ['scopes', value]),
    ...noNumbers.flatMap((value): [string, unknown][] => [
      ['exp', value],
      ['iat', value],
      ['nbf', value],
    ]),
    ['exp', 8.64e12 + 1],
    ['exp', 1e300],
  ])('should be so for its claim %s: %j', async (name, value) => {
    const { key, verify } = await setUp();
    expect(messageOf(await verify(mintToken(key, { ...claims, [name]: value })))).toMatch(
      `has a claim ${name} that is`,
    );
  });

  it('should be so when it expires in infinity', async () => {
    const { key, verify } = await setUp();
    const payload = JSON.stringify(claims).replace(String(claims.exp), '1e999');
    expect(messageOf(await verify(mintToken(key, payload)))).toMatch('has a claim exp that is');
  });

  it('should be so when it expires while the keys are fetched', async () => {
    const { key, server, pass, verify } = await setUp();
    const release = server.hold();
    const outcome = verify(mintToken(key, { ...claims, exp: NOW + 2 }));
    await server.received(1);
    pass(2000);
    release();
    expect(messageOf(await outcome)).toMatch(/has expired/);
  });

  it('should be so when the clock is none', async () => {
    let clock = NOW * 1000;
    const { key, verify } = await setUp({ now: () => clock });
    expect(verdictOf(await verify(mintToken(key, claims)))).toBe('ok');
    clock = NaN;
    expect(verdictOf(await verify(mintToken(key, claims)))).toBe('token.invalid');
  });

  it('should be so without asking the key server, where that changes nothing', async () => {
    const { key, server, verify } = await setUp();
    for (const token of [
      'x',
      mintToken(key, claims, { alg: 'none' }),
      mintToken(key, claims, { typ: 'at+jwt' }),
      mintToken(key, claims, { crit: ['b64'], b64: true }),
      mintToken(key, claims, { kid: 1 }),
    ]) {
      expect(verdictOf(await verify(token))).toBe('token.invalid');
    }
    expect(server.requests).toEqual([]);
  });

  it('should be quoted by nothing of the refusal', async () => {
    const { key, verify } = await setUp({ audience: 'us' });
    const canary = 'canary';
    const tokens = [
      canary,
      signWith(`{${canary}`, claims, () => Buffer.alloc(64)),
      mintToken(key, `{"${canary}":`),
      mintToken(key, claims, { kid: canary }),
      mintToken(key, claims, { alg: canary }),
      mintToken(key, claims, { typ: canary }),
      mintToken(key, claims, { crit: [canary], [canary]: 1 }),
      ...['iss', 'aud', 'exp', 'nbf', 'scopes'].map((name) => mintToken(key, { ...claims, [name]: canary })),
      mintToken(stranger, { ...claims, sub: canary }),
    ];
    for (const token of tokens) {
      const error = (await verify(token)) as SignatureError;
      expect([error.status, error.cause]).toEqual([401, undefined]);
      const shown = [error.message, error.stack, JSON.stringify(error)].join();
      for (const part of [canary, ...token.split('.').filter((each) => each.length > 20)]) {
        expect(shown).not.toContain(part);
      }
    }
  });

  it('should never be a rejection, whatever it is', async () => {
    const { key, verify } = await setUp();
    await verify(mintToken(key, claims));
    const part = fc.oneof(fc.string(), fc.json());
    await fc.assert(
      fc.asyncProperty(part, part, fc.uint8Array(), async (header, payload, signature) => {
        const token = signWith(header, payload, () => Buffer.from(signature));
        expect(verdictOf(await verify(token))).toBe('token.invalid');
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue()), async (payload, header) => {
        expect(verdictOf(await verify(mintToken(key, payload, header)))).toBe('token.invalid');
      }),
    );
  });
});

describe('the audience', () => {
  it.each<[string, TokenOptions['audience'], unknown, string]>([
    ['is not asked for without the option', undefined, 'them', 'ok'],
    ['may then be anything', undefined, 5, 'ok'],
    ['is the one', 'us', 'us', 'ok'],
    ['is among several', 'us', ['them', 'us'], 'ok'],
    ['is one of several', ['you', 'us'], 'us', 'ok'],
    ['shares one with several', ['you', 'us'], ['them', 'us'], 'ok'],
    ['is another', 'us', 'them', 'token.invalid'],
    ['is a longer one', 'us', 'us.example', 'token.invalid'],
    ['is absent', 'us', undefined, 'token.invalid'],
    ['is empty', 'us', [], 'token.invalid'],
    ['is nested', 'us', [['us']], 'token.invalid'],
    ['is an object', 'us', { us: 'us' }, 'token.invalid'],
    ['is the list as a text', ['you', 'us'], 'you,us', 'token.invalid'],
  ])('should decide: it %s', async (_name, audience, aud, verdict) => {
    const { key, verify } = await setUp({ audience });
    expect(verdictOf(await verify(mintToken(key, { ...claims, aud })))).toBe(verdict);
  });

  it('should not change with the array that was given', async () => {
    const audience = ['us'];
    const { key, verify } = await setUp({ audience });
    audience.push('them');
    expect(verdictOf(await verify(mintToken(key, { ...claims, aud: 'them' })))).toBe('token.invalid');
  });
});

describe('a key that the token brings along', () => {
  it.each<[string, (url: string, jwk: object) => object]>([
    ['jku', (url) => ({ jku: url })],
    ['jku of an unknown key', (url) => ({ jku: url, kid: 'theirs' })],
    ['x5u', (url) => ({ x5u: url })],
    ['jwk', (_url, jwk) => ({ jwk })],
    ['jwk of no name', (_url, jwk) => ({ jwk, kid: undefined })],
    ['x5c', () => ({ x5c: ['MIIB'] })],
    ['all of them', (url, jwk) => ({ jku: url, x5u: url, jwk, x5c: ['MIIB'], kid: 'theirs' })],
  ])('should have no say: %s', async (_name, header) => {
    const attacker = createKey('first');
    const theirs = await startKeyServer(attacker, { ...attacker.jwk, kid: 'theirs' });
    const { key, verify } = await setUp();
    const brought = header(theirs.url, attacker.jwk);
    expect(verdictOf(await verify(mintToken(attacker, claims, brought)))).toBe('token.invalid');
    expect(verdictOf(await verify(mintToken(key, claims, { ...brought, kid: 'first' })))).toBe('ok');
    expect([theirs.requests, theirs.connections()]).toEqual([[], 0]);
  });

  it('should have no say by the claims either', async () => {
    const attacker = createKey('theirs');
    const theirs = await startKeyServer(attacker);
    const { verify } = await setUp();
    const token = mintToken(attacker, { ...claims, iss: theirs.url, jku: theirs.url, api: { base_url: theirs.url } });
    expect(verdictOf(await verify(token))).toBe('token.invalid');
    expect(theirs.connections()).toBe(0);
  });
});

describe('a key server without a key', () => {
  it('should be a reason to send the delivery again, and the cause to be found', async () => {
    const { key, server, verify } = await setUp();
    server.answer = text(500, 'canary');
    const error = (await verify(mintToken(key, claims))) as SignatureError;
    expect(error).toBeInstanceOf(SignatureError);
    expect([error.status, error.retryable, error.code]).toEqual([503, true, 'token.keys_unavailable']);
    expect((error.cause as Error).message).toBe('The key server answered 500, not 200');
  });
});

describe('the options', () => {
  it('should have the URL asked as it was written, and not as it is changed later', async () => {
    const server = await startKeyServer();
    const jwksUrl = new URL(`${server.url}?tenant=1`);
    const { key, verify } = await setUp({ jwksUrl });
    jwksUrl.pathname = '/changed';
    await verify(mintToken(key, claims));
    expect(server.requests).toEqual(['/.well-known/jwks.json?tenant=1']);
  });

  it('should look the clock of the machine up when it is used, as tests replace it', async () => {
    const { key, verify } = await setUp({ now: undefined });
    const clock = jest.spyOn(Date, 'now').mockReturnValue(claims.exp * 1000 - 1);
    expect(verdictOf(await verify(mintToken(key, claims)))).toBe('ok');
    clock.mockReturnValue(claims.exp * 1000);
    expect(verdictOf(await verify(mintToken(key, claims)))).toBe('token.invalid');
    clock.mockRestore();
  });

  it('should take the time of the machine where there is no other', async () => {
    const { key, verify } = await setUp({ now: undefined });
    const nowSeconds = Date.now() / 1000;
    expect(verdictOf(await verify(mintToken(key, { ...claims, exp: nowSeconds + 600 })))).toBe('ok');
    expect(verdictOf(await verify(mintToken(key, { ...claims, exp: nowSeconds - 1 })))).toBe('token.invalid');
  });
});
