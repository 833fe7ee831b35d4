import { readOptions } from '../../../lib/options';
import { TOKEN_OPTIONS } from '../../../lib/runtime-token/options';

const good = { issuer: 'kiket.dev', jwksUrl: 'https://kiket.dev/.well-known/jwks.json' };

function read(options: object): unknown {
  return readOptions('kiketRuntimeToken', { ...good, ...options }, TOKEN_OPTIONS);
}

describe('the options of kiketRuntimeToken', () => {
  it.each<[string, unknown]>([
    ['https://kiket.dev', 'https://kiket.dev/'],
    ['https://kiket.dev:8443/a/jwks.json?tenant=1', 'https://kiket.dev:8443/a/jwks.json?tenant=1'],
    ['http://localhost:3000/jwks.json', 'http://localhost:3000/jwks.json'],
    ['http://[::1]:3000/jwks.json', 'http://[::1]:3000/jwks.json'],
    ['a URL object', new URL('https://kiket.dev/jwks.json')],
    // Like jsdom's URL, which is another class.
    ['a URL of another realm', { [Symbol.toStringTag]: 'URL', toString: () => 'https://kiket.dev/jwks.json' }],
  ])('should accept as jwksUrl: %s', (name, url) => {
    const jwksUrl = typeof url === 'string' ? name : url;
    expect(read({ jwksUrl })).toMatchObject({ jwksUrl: String(url) });
  });

  it.each([
    ['', 'is not a URL'],
    ['/.well-known/jwks.json', 'is not a URL'],
    ['http://kiket.dev/jwks.json', 'is not https'],
    ['http://localhost.canary.example/', 'is not https'],
    [new URL('http://kiket.dev'), 'is not https'],
    ['file:///canary/jwks.json', 'is not https'],
    ['data:application/json,{}', 'is not https'],
    ['https://canary:canary@kiket.dev/jwks.json', 'contains user info'],
    ['https://canary@kiket.dev/jwks.json?a=1', 'contains user info'],
    [`${good.jwksUrl}#canary`, 'has a fragment'],
    [`${good.jwksUrl}#`, 'has a fragment'],
    [undefined, 'is undefined'],
    [1, 'is a number'],
    [{ href: good.jwksUrl }, 'is an object'],
  ])('should throw a TypeError that does not show the jwksUrl %p', (jwksUrl, problem) => {
    expect(() => read({ jwksUrl })).toThrow(
      new TypeError(
        `kiketRuntimeToken: jwksUrl must be an https URL such as ${good.jwksUrl}, or http on loopback, but ${problem}`,
      ),
    );
  });

  it.each([
    [undefined, undefined],
    ['us', ['us']],
    [Object.freeze(['us', 'them']), ['us', 'them']],
  ])('should accept as audience: %p', (audience, value) => {
    expect(read({ audience })).toMatchObject({ audience: value });
  });

  it.each([
    [{ issuer: '' }, 'issuer must be a non-empty string, but is ""'],
    [{ issuer: undefined }, 'issuer must be a non-empty string, but is undefined'],
    [{ issuer: ['kiket.dev'] }, 'issuer must be a non-empty string, but is an array'],
    [{ audience: '' }, 'audience must be a non-empty string, but is ""'],
    [{ audience: [] }, 'audience must be a non-empty array, but is an empty array'],
    [{ audience: ['us', ''] }, 'audience[1] must be a non-empty string, but is ""'],
    [{ audience: null }, 'audience must be a non-empty string, but is null'],
    [{ now: 1 }, 'now must be a function, but is 1'],
  ])('should throw a TypeError for %p', (options, message) => {
    expect(() => read(options)).toThrow(new TypeError(`kiketRuntimeToken: ${message}`));
  });
});
