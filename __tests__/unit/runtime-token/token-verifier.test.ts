import { SignatureError } from '../../../lib/errors';
import type { TokenOptions } from '../../../lib/runtime-token/options';
import { createKey, mintToken, signWith, startKeyServer, text, type TokenKey } from '../../support/key-server';
import { claims, issuer, NOW } from '../../support/runtime-token';
import { messageOf, setUp, verdictOf } from './tokens';

describe('a valid runtime token', () => {
  it('should resolve with its claims', async () => {
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

  it.each([undefined, null])('should need only an issuer and an expiry: the other claims are %s', async (absent) => {
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
    ['has the type JWT', {}, { typ: 'JWT' }],
    ['has the type jwt', {}, { typ: 'jwt' }],
    ['has a media type', {}, { typ: 'application/jwt' }],
    ['has no key id', {}, { kid: undefined }],
    ['expires in a second', { exp: NOW + 1 }],
    ['is valid from now', { nbf: NOW }],
    ['expires with the last Date', { exp: 8.64e12 }],
    ['was issued in the future', { iat: NOW + 10 }],
    ['has unknown claims', { pi_id: { deep: [] } }],
  ])('should be accepted when it %s', async (_name, fields, header = {}) => {
    const { key, verify } = await setUp();
    expect(verdictOf(await verify(mintToken(key, { ...claims, ...fields }, header)))).toBe('ok');
  });

  it('should return a numeric extension id as a string', async () => {
    const { key, verify } = await setUp();
    expect(await verify(mintToken(key, { ...claims, ext_id: 5 }))).toMatchObject({ extensionId: '5' });
  });

  it('should not read claims from a prototype', async () => {
    const { key, verify } = await setUp();
    const payload = JSON.stringify({ iss: issuer, exp: NOW + 1 }).replace('{', '{"__proto__":{"org_id":7},');
    expect(await verify(mintToken(key, payload))).toMatchObject({ organizationId: undefined });
  });
});

describe('an invalid runtime token', () => {
  const notAJwt = 'is not a signed JWT';
  const noClaims = 'has no claims: its payload is not a JSON object';
  const notES256 = 'is not signed with ES256';
  const otherKey = 'was not signed with the key that it names, or was changed afterwards';
  const unknownKey = 'names no key of the platform. Check that jwksUrl belongs to the platform that sends';
  const otherIssuer = 'is not from the configured issuer. Check that issuer belongs to the platform that sends';
  const expired = 'has expired. If this happens often, check the clock of this server';
  const otherType = 'has another type (typ) than JWT';

  const by =
    (header: object, fields: object = {}) =>
    (key: TokenKey): string =>
      mintToken(key, { ...claims, aud: 'us', ...fields }, header);
  const saying = (payload: unknown) => (key: TokenKey) => mintToken(key, payload);

  it.each<[string, string, (key: TokenKey) => string]>([
    ['it is opaque', notAJwt, () => 'rt_0123456789'],
    ['it is empty', notAJwt, () => ''],
    ['it is encrypted', notAJwt, () => 'e30.e30.e30.e30.e30'],
    ['its header is not JSON', notAJwt, () => signWith('{', claims, () => Buffer.alloc(64))],
    ['its header has no algorithm', notAJwt, by({ alg: undefined })],
    ['its payload is not JSON', noClaims, saying('{"iss":')],
    ['its payload is an array', noClaims, saying([])],
    ['it has another algorithm', notES256, () => mintToken(createKey('first', 'ES384'), claims)],
    ['another key has signed it', otherKey, () => mintToken(createKey('first'), claims)],
    ['its key is not published', unknownKey, () => mintToken(createKey('second'), claims)],
    ['its key id is not a string', unknownKey, by({ kid: 1 })],
    ['it has a critical extension', 'requires an extension (crit) that is not supported', by({ crit: ['a'], a: 1 })],
    ['it is an access token', otherType, by({ typ: 'at+jwt' })],
    ['its type is not a string', otherType, by({ typ: ['JWT'] })],
    ['another issuer has issued it', otherIssuer, by({}, { iss: 'kiket.example' })],
    ['it has no issuer', otherIssuer, by({}, { iss: undefined })],
    ['it is for another audience', 'is for another audience than the configured one', by({}, { aud: 'them' })],
    ['it is for no audience', 'is for another audience than the configured one', by({}, { aud: undefined })],
    ['it has expired', expired, by({}, { exp: NOW - 1 })],
    ['it expires now', expired, by({}, { exp: NOW })],
    ['it does not expire', 'does not say when it expires (exp)', by({}, { exp: undefined })],
    ['it is not valid yet', 'is not valid yet. Check the clock of this server', by({}, { nbf: NOW + 1 })],
  ])('should be refused, with the reason, when %s', async (_name, reason, make) => {
    const { key, verify } = await setUp({ audience: 'us' });
    const outcome = await verify(make(key));
    expect(messageOf(outcome)).toBe(`token.invalid: The runtime token ${reason}.`);
  });

  const invalidIds = [0, -1, 1.5, 2 ** 53, '', 'two words', true, [7], {}];
  const invalidStrings = ['', true, [], ['a'], {}];
  const invalidTimes = ['1', `${NOW + 300}`, true, null, {}];

  it.each<[string, unknown]>([
    ...invalidIds.flatMap((value): [string, unknown][] => [
      ['org_id', value],
      ['proj_id', value],
    ]),
    ...[...invalidStrings, 0, -1, 1.5, 2 ** 53].map((value): [string, unknown] => ['ext_id', value]),
    ...[...invalidStrings, 1].map((value): [string, unknown] => ['jti', value]),
    ...['issues.read', 1, true, {}, [1], [null], ['a', ['b']]].map((value): [string, unknown] => ['scopes', value]),
    ...invalidTimes.flatMap((value): [string, unknown][] => [
      ['exp', value],
      ['iat', value],
      ['nbf', value],
    ]),
    ['exp', 8.64e12 + 1],
    ['exp', 1e300],
  ])('should be refused for its claim %s: %j', async (name, value) => {
    const { key, verify } = await setUp();
    expect(messageOf(await verify(mintToken(key, { ...claims, [name]: value })))).toBe(
      `token.invalid: The runtime token has an invalid claim ${name} (wrong type or out of range).`,
    );
  });

  it('should be refused when its expiry is infinite', async () => {
    const { key, verify } = await setUp();
    const payload = JSON.stringify(claims).replace(String(claims.exp), '1e999');
    expect(messageOf(await verify(mintToken(key, payload)))).toMatch('invalid claim exp');
  });

  it('should not be quoted in the error', async () => {
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
      mintToken(createKey('first'), { ...claims, sub: canary }),
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
});

describe('the audience', () => {
  it.each<[string, TokenOptions['audience'], unknown, string]>([
    ['is not asked for without the option', undefined, 'them', 'ok'],
    ['may then be anything', undefined, 5, 'ok'],
    ['is among several', 'us', ['them', 'us'], 'ok'],
    ['shares one with several', ['you', 'us'], ['them', 'us'], 'ok'],
    ['is a longer one', 'us', 'us.example', 'token.invalid'],
    ['is an object', 'us', { us: 'us' }, 'token.invalid'],
    ['is the list as a string', ['you', 'us'], 'you,us', 'token.invalid'],
  ])('should decide when it %s', async (_name, audience, aud, verdict) => {
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

describe('a key server without a key', () => {
  it('should be retryable, with a cause for the operator', async () => {
    const { key, server, verify } = await setUp();
    server.respond = text(500, 'canary');
    const error = (await verify(mintToken(key, claims))) as SignatureError;
    expect(error).toBeInstanceOf(SignatureError);
    expect([error.status, error.retryable, error.code]).toEqual([503, true, 'token.keys_unavailable']);
    expect((error.cause as Error).message).toBe('The key server responded with 500, not 200');
  });
});

describe('the options', () => {
  it('should use the URL as it was given, without later changes', async () => {
    const server = await startKeyServer();
    const jwksUrl = new URL(`${server.url}?tenant=1`);
    const { key, verify } = await setUp({ jwksUrl });
    jwksUrl.pathname = '/changed';
    await verify(mintToken(key, claims));
    expect(server.requests).toEqual(['/.well-known/jwks.json?tenant=1']);
  });

  it('should read Date.now at each use, as tests replace it', async () => {
    const { key, verify } = await setUp({ now: undefined });
    const clock = jest.spyOn(Date, 'now').mockReturnValue(claims.exp * 1000 - 1);
    expect(verdictOf(await verify(mintToken(key, claims)))).toBe('ok');
    clock.mockReturnValue(claims.exp * 1000);
    expect(verdictOf(await verify(mintToken(key, claims)))).toBe('token.invalid');
    clock.mockRestore();
  });

  it('should use the system clock by default', async () => {
    const { key, verify } = await setUp({ now: undefined });
    const nowSeconds = Date.now() / 1000;
    expect(verdictOf(await verify(mintToken(key, { ...claims, exp: nowSeconds + 600 })))).toBe('ok');
    expect(verdictOf(await verify(mintToken(key, { ...claims, exp: nowSeconds - 1 })))).toBe('token.invalid');
  });
});
