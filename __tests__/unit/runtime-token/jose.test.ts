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
  it('should be found', async () => {
    expect(await loadJose('a test')).toMatchObject({ compactVerify: expect.any(Function) as unknown });
  });

  it('should be asked for at start-up where it is not installed', () => {
    failWith('MODULE_NOT_FOUND');
    const create = (): unknown => createTokenVerifier('kiketRuntimeToken', settings);
    expect(create).toThrow(TypeError);
    expect(create).toThrow('kiketRuntimeToken needs the package jose, which is not installed; npm install jose');
  });

  it('should be asked for at start-up where it is too old', () => {
    jest.doMock('jose/package.json', () => ({ version: '4.15.9' }));
    expect(() => loadJose('kiketRuntimeToken')).toThrow(
      new TypeError('kiketRuntimeToken needs jose 5.9 or newer, but 4.15.9 is installed; npm install jose@6'),
    );
    jest.dontMock('jose/package.json');
  });

  it('should be imported where it cannot be required, and a failure be that of the first delivery', async () => {
    // Jest does not import here, so that this one fails.
    failWith('ERR_REQUIRE_ESM');
    const verify = createTokenVerifier('a test', settings);
    await new Promise(setImmediate);
    expect(await verify('e30.e30.')).toMatchObject({ code: 'token.keys_unavailable', status: 503 });
  });

  it('should not be said to be missing when it is broken', () => {
    failWith(undefined);
    expect(() => loadJose('a test')).toThrow('Not loaded');
  });
});
