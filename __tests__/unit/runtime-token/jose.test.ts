import { loadJose } from '../../../lib/runtime-token/jose';
import { createTokenVerifier } from '../../../lib/runtime-token/token-verifier';

const settings = { issuer: 'kiket.dev', jwksUrl: 'https://kiket.dev/jwks.json', audience: undefined, now: Date.now };

/** Makes `require('jose')` throw for one test. */
function failWith(code: string | undefined): void {
  jest.doMock('jose', () => {
    throw Object.assign(new Error('Not loaded'), { code });
  });
}

afterEach(() => {
  jest.dontMock('jose');
  jest.resetModules();
});

describe('jose', () => {
  it('should be loaded when it is installed', async () => {
    expect(await loadJose('a test')).toMatchObject({ createRemoteJWKSet: expect.any(Function) as unknown });
  });

  it('should be named at start-up when it is not installed', () => {
    failWith('MODULE_NOT_FOUND');
    const create = (): unknown => createTokenVerifier('kiketRuntimeToken', settings);
    expect(create).toThrow(TypeError);
    expect(create).toThrow('kiketRuntimeToken needs the package jose, which is not installed; npm install jose');
  });

  it.each(['5.10.0', '6.0.7'])('should be named at start-up when it is too old: %s', (version) => {
    jest.doMock('jose/package.json', () => ({ version }));
    expect(() => loadJose('kiketRuntimeToken')).toThrow(
      new TypeError(`kiketRuntimeToken needs jose 6.0.8 or newer, but ${version} is installed; npm install jose@6`),
    );
    jest.dontMock('jose/package.json');
  });

  it('should be imported when Node does not require it, and fail the first delivery when that fails', async () => {
    // Jest does not support this import, so it fails.
    failWith('ERR_REQUIRE_ESM');
    const verify = createTokenVerifier('a test', settings);
    await new Promise(setImmediate);
    expect(await verify('e30.e30.')).toMatchObject({ code: 'token.keys_unavailable', status: 503 });
  });

  it('should not be reported as missing when it is broken', () => {
    failWith(undefined);
    expect(() => loadJose('a test')).toThrow('Not loaded');
  });
});
