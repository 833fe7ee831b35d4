import { requireReached } from '../../../lib/cli/target';

const request = { method: 'POST', url: 'http://localhost:3000/kiket?a=1', headers: [], body: Buffer.alloc(0) };
const failed = (code: string) => ({ failure: { code, message: 'the reason' }, durationMs: 1 });

describe('requireReached', () => {
  it.each([
    ...[
      'ECONNREFUSED',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'EADDRNOTAVAIL',
      'ETIMEDOUT',
      'EPROTO',
    ],
    ...[
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'CERT_HAS_EXPIRED',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    ...['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_INVALID_URL'],
  ])('should say what was tried when there was no connection: %s', (code) => {
    let thrown: unknown;
    try {
      requireReached(request, failed(code));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      exitCode: 3,
      message: 'http://localhost:3000 cannot be reached: the reason. Tried POST http://localhost:3000/kiket?a=1',
    });
  });

  it.each(['timeout', 'left', 'aborted', 'ECONNRESET', 'EPIPE', 'HPE_INVALID_CONSTANT'])(
    'should accept a failure of a connection: %s',
    (code) => expect(() => requireReached(request, failed(code))).not.toThrow(),
  );
});
