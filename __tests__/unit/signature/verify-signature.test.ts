import { createHmac, createSecretKey } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import { SignatureError, verifySignature, type VerifySignatureOptions } from 'kiket-express/signature';
import { signDelivery } from 'kiket-express/testing';
import example from '../../fixtures/example-delivery.json';

const secret = 'whsec_of_this_test';
const body = JSON.stringify(example);
const nowSeconds = 1_764_000_000;
const now = (): number => nowSeconds * 1000;

/** The digits of the header X-Kiket-Signature, over a timestamp of any form. */
function mac(timestamp?: string, key: string | Buffer = secret): string {
  const hmac = createHmac('sha256', key);
  if (timestamp !== undefined) hmac.update(`${timestamp}.`);
  return hmac.update(body).digest('hex');
}

function headersOf(signature: string | undefined, timestamp?: string): Record<string, string | undefined> {
  return { 'X-Kiket-Signature': signature, 'X-Kiket-Timestamp': timestamp };
}

function verify(options: Partial<VerifySignatureOptions>) {
  return verifySignature({ headers: headersOf(mac()), body, secret, now, ...options });
}

/** The code of the SignatureError, or the scheme of the signature. */
function resultOf(options: Partial<VerifySignatureOptions>): string {
  try {
    return verify(options).scheme;
  } catch (error) {
    if (error instanceof SignatureError) return error.code;
    throw error;
  }
}

describe('the header X-Kiket-Signature', () => {
  it.each([
    ['digits in lower case', mac()],
    ['digits in upper case', mac().toUpperCase()],
    ['sha256= before the digits', `sha256=${mac()}`],
    ['sha256= before digits in upper case', `sha256=${mac().toUpperCase()}`],
  ])('should be accepted as %s', (_name, signature) => {
    expect(resultOf({ headers: headersOf(signature) })).toBe('body');
  });

  it('should be signature.missing when it is absent', () => {
    expect(resultOf({ headers: headersOf(undefined, `${nowSeconds}`) })).toBe('signature.missing');
  });

  it.each([
    ['empty', ''],
    ['63 digits', mac().slice(1)],
    ['65 digits', `${mac()}0`],
    ['128 digits', mac().repeat(2)],
    ['a letter that is not a digit', `g${mac().slice(1)}`],
    ['base64', Buffer.from(mac(), 'hex').toString('base64')],
    ['a prefix without digits', 'sha256='],
    ['a prefix twice', `sha256=sha256=${mac()}`],
    ['the prefix of another hash', `sha512=${mac()}`],
    ['a list', `${mac()},${mac()}`],
    ['a list with an empty member', `${mac()},`],
    ['a JSON array', `["${mac()}"]`],
  ])('should be signature.malformed when it is %s', (_name, signature) => {
    expect(resultOf({ headers: headersOf(signature) })).toBe('signature.malformed');
  });

  it.each([
    ['zeros', '0'.repeat(64)],
    ['of another secret', mac(undefined, `${secret}x`)],
    ['of another body', createHmac('sha256', secret).update('{}').digest('hex')],
  ])('should be signature.mismatch when it is %s', (_name, signature) => {
    expect(resultOf({ headers: headersOf(signature) })).toBe('signature.mismatch');
  });
});

describe('the body', () => {
  const flipped = Buffer.from(body);
  flipped[flipped.length >> 1]! ^= 1;

  it.each<[string, string | Uint8Array]>([
    ['one bit changed', flipped],
    ['white space at its end', `${body}\n`],
    ['white space before it', ` ${body}`],
    ['the same JSON with other white space', JSON.stringify(example, null, 2)],
    ['nothing left of it', ''],
  ])('should be signature.mismatch with %s', (_name, changed) => {
    expect(resultOf({ body: changed })).toBe('signature.mismatch');
  });

  it.each<[string, string | Uint8Array]>([
    ['a string', body],
    ['a Buffer', Buffer.from(body)],
    ['a Uint8Array', new Uint8Array(Buffer.from(body))],
    ['a part of a larger Uint8Array', new Uint8Array(Buffer.from(` ${body} `)).subarray(1, -1)],
    [
      'a Uint8Array of another realm',
      runInNewContext('Uint8Array.from(bytes)', { bytes: Buffer.from(body) }) as Uint8Array,
    ],
  ])('should be accepted as %s', (_name, given) => {
    expect(resultOf({ body: given })).toBe('body');
  });

  it.each([[undefined], [null], [{ event: 'a' }], [new ArrayBuffer(2)], [[123, 125]]])(
    'should throw a TypeError that asks for the exact bytes when it is %p',
    (given) => {
      const start = () => verify({ body: given as unknown as string });
      expect(start).toThrow(TypeError);
      expect(start).toThrow(
        /^verifySignature: body must be a string or a Uint8Array with the exact bytes received, but is /,
      );
    },
  );

  it('should be signature.mismatch when the timestamp of a captured delivery is moved into it, where it would not go stale', () => {
    const headers = headersOf(mac(`${nowSeconds}`));
    expect(resultOf({ headers, body: `${nowSeconds}.${body}` })).toBe('signature.mismatch');
  });
});

describe('the header X-Kiket-Timestamp', () => {
  const forms = ['', 'yesterday', '-1', '+1', '1e9', '0x69', `${nowSeconds}.0`, `${nowSeconds}s`];
  it.each([...forms, '2025-11-24T16:00:00Z', `${nowSeconds}, ${nowSeconds}`])(
    'should be signature.malformed when it is required and is %j, and select no scheme otherwise',
    (timestamp) => {
      const headers = headersOf(mac(timestamp), timestamp);
      expect(resultOf({ headers, signatureSchemes: ['timestamped'] })).toBe('signature.malformed');
      expect(resultOf({ headers })).toBe('signature.mismatch');
    },
  );

  it.each([-301, 301])('should be signature.stale %s s from now', (distance) => {
    const timestamp = `${nowSeconds + distance}`;
    expect(resultOf({ headers: headersOf(mac(timestamp), timestamp) })).toBe('signature.stale');
  });

  it.each([`${nowSeconds}000`, '0', '9'.repeat(400), `${Number.MAX_SAFE_INTEGER}`])(
    'should be signature.stale when it is %s',
    (timestamp) => {
      expect(resultOf({ headers: headersOf(mac(timestamp), timestamp) })).toBe('signature.stale');
    },
  );

  it.each<[string, string, Partial<VerifySignatureOptions>]>([
    ['now', `${nowSeconds}`, {}],
    ['300 s ago', `${nowSeconds - 300}`, {}],
    ['300 s ahead', `${nowSeconds + 300}`, {}],
    ['300 s ago, at the end of its last second', `${nowSeconds - 300}`, { now: () => now() + 999 }],
    ['zeros before the digits', `00${nowSeconds}`, {}],
    ['an age within toleranceSeconds', `${nowSeconds - 86_400}`, { toleranceSeconds: 86_400 }],
    ['now, with toleranceSeconds 0', `${nowSeconds}`, { toleranceSeconds: 0 }],
  ])('should be accepted as %s', (_name, timestamp, options) => {
    expect(resultOf({ headers: headersOf(mac(timestamp), timestamp), ...options })).toBe('timestamped');
  });

  it('should be signature.stale when its age is over toleranceSeconds', () => {
    const timestamp = `${nowSeconds - 2}`;
    const headers = headersOf(mac(timestamp), timestamp);
    expect(resultOf({ headers, toleranceSeconds: 1 })).toBe('signature.stale');
  });

  it('should be signature.stale when the clock returns NaN', () => {
    const timestamp = `${nowSeconds}`;
    expect(resultOf({ headers: headersOf(mac(timestamp), timestamp), now: () => NaN })).toBe('signature.stale');
  });

  it('should be compared with Date.now by default', () => {
    const { headers } = signDelivery(body, { secret });
    expect(verifySignature({ headers, body, secret }).timestampSeconds).toBe(Number(headers['X-Kiket-Timestamp']));
  });

  it('should let the error of a failing clock through', () => {
    const failing = () => {
      throw new Error('no clock');
    };
    const headers = headersOf(mac(`${nowSeconds}`), `${nowSeconds}`);
    expect(() => verify({ headers, now: failing })).toThrow('no clock');
  });
});

describe('signatureSchemes', () => {
  const at = `${nowSeconds}`;
  const iso = '2025-11-24T16:00:00.000000+00:00';
  const [onlyBody, onlyTimestamped]: VerifySignatureOptions['signatureSchemes'][] = [['body'], ['timestamped']];
  const both = ['timestamped', 'body'] as const;

  it.each<
    [result: string, what: string, VerifySignatureOptions['signatureSchemes'], Record<string, string | undefined>]
  >([
    ['body', 'a signature of the body', undefined, headersOf(mac())],
    ['timestamped', 'a timestamped signature', undefined, headersOf(mac(at), at)],
    ['body', 'a signature of the body beside an ISO time', undefined, headersOf(mac(), iso)],
    ['body', 'a signature of the body beside a repeated timestamp', undefined, headersOf(mac(), `${at}, ${at}`)],
    ['signature.mismatch', 'a timestamped signature without its timestamp', undefined, headersOf(mac(at))],
    ['signature.mismatch', 'a signature of the body with a timestamp added', undefined, headersOf(mac(), at)],
    ['body', 'a signature of the body', both, headersOf(mac())],
    ['timestamped', 'a timestamped signature', both, headersOf(mac(at), at)],
    ['signature.mismatch', 'a timestamped signature without its timestamp', both, headersOf(mac(at))],
    ['signature.mismatch', 'a signature of the body with a timestamp added', both, headersOf(mac(), at)],
    ['body', 'a signature of the body', onlyBody, headersOf(mac())],
    ['body', 'a signature of the body with a timestamp added', onlyBody, headersOf(mac(), at)],
    ['body', 'a signature of the body beside nonsense', onlyBody, headersOf(mac(), 'nonsense')],
    ['signature.mismatch', 'a timestamped signature', onlyBody, headersOf(mac(at), at)],
    ['signature.mismatch', 'a timestamped signature without its timestamp', onlyBody, headersOf(mac(at))],
    ['timestamped', 'a timestamped signature', onlyTimestamped, headersOf(mac(at), at)],
    ['signature.scheme_refused', 'a signature of the body', onlyTimestamped, headersOf(mac())],
    ['signature.scheme_refused', 'a timestamped signature without its timestamp', onlyTimestamped, headersOf(mac(at))],
    ['signature.mismatch', 'a signature of the body with a timestamp added', onlyTimestamped, headersOf(mac(), at)],
    ['signature.malformed', 'a signature of the body beside an ISO time', onlyTimestamped, headersOf(mac(), iso)],
  ])('should result in %s for %s when it is %j', (result, _what, signatureSchemes, headers) => {
    expect(resultOf({ headers, signatureSchemes })).toBe(result);
  });
});

describe('the secret', () => {
  it.each<[string, VerifySignatureOptions['secret'], number, string | Buffer]>([
    ['a string', secret, 0, secret],
    ['its bytes', Buffer.from(secret), 0, secret],
    ['a KeyObject', createSecretKey(Buffer.from(secret)), 0, secret],
    ['a string that is not ASCII', 'sécrét-✓', 0, Buffer.from('sécrét-✓')],
    ['bytes that are not UTF-8', Buffer.from([0, 255, 10, 128]), 0, Buffer.from([0, 255, 10, 128])],
    ['the current one of two', [secret, 'previous'], 0, secret],
    ['the previous one of two', ['current', secret], 1, secret],
    ['the last of many, in all forms', ['a', Buffer.from('b'), createSecretKey(Buffer.from('c')), secret], 3, secret],
    ['the first of two equal ones', [secret, secret], 0, secret],
  ])('should be found as %s, with its index, and no other be accepted', (_name, configured, secretIndex, signedBy) => {
    const at = `${nowSeconds}`;
    expect(verify({ secret: configured, headers: headersOf(mac(undefined, signedBy)) })).toEqual({
      scheme: 'body',
      secretIndex,
      timestampSeconds: undefined,
    });
    expect(verify({ secret: configured, headers: headersOf(mac(at, signedBy), at) })).toEqual({
      scheme: 'timestamped',
      secretIndex,
      timestampSeconds: nowSeconds,
    });
    const retired = headersOf(mac(undefined, 'retired'));
    expect(resultOf({ secret: configured, headers: retired })).toBe('signature.mismatch');
  });
});

describe('the headers', () => {
  const at = `${nowSeconds}`;
  const signature = mac(at);

  it.each<[string, VerifySignatureOptions['headers']]>([
    ["Node's, in lower case", { 'x-kiket-signature': signature, 'x-kiket-timestamp': at }],
    ['an object in upper case', { 'X-KIKET-SIGNATURE': signature, 'X-KIKET-TIMESTAMP': at }],
    ['an object of arrays', { 'X-Kiket-Signature': [signature], 'X-Kiket-Timestamp': [at], Accept: undefined }],
    ['an object without a prototype', Object.assign(Object.create(null), headersOf(signature, at)) as object as {}],
    ['an object with a header named get', { ...headersOf(signature, at), get: 'a value' }],
    ['a Fetch Headers', new Headers(headersOf(signature, at) as Record<string, string>)],
    ['an array of pairs', Object.entries(headersOf(signature, at)) as [string, string][]],
  ])('should be read from %s', (_name, headers) => {
    expect(resultOf({ headers })).toBe('timestamped');
  });

  it.each<[string, VerifySignatureOptions['headers']]>([
    ['an object with two cases of the name', { 'x-kiket-signature': mac(), 'X-Kiket-Signature': mac() }],
    ['an object of arrays', { 'x-kiket-signature': [mac(), mac()] }],
    [
      'a Fetch Headers',
      new Headers([
        ['X-Kiket-Signature', mac()],
        ['X-Kiket-Signature', mac()],
      ]),
    ],
    [
      'an array of pairs',
      [
        ['X-Kiket-Signature', mac()],
        ['x-kiket-signature', mac()],
      ],
    ],
  ])('should be signature.malformed when the signature is repeated in %s', (_name, headers) => {
    expect(resultOf({ headers })).toBe('signature.malformed');
  });
});

describe('the options', () => {
  it.each<[string, object, RegExp]>([
    [
      'an empty secret',
      { secret: '' },
      /^verifySignature: secret must be a non-empty string, Buffer or secret KeyObject, but is an empty string/,
    ],
    [
      'an empty list of secrets',
      { secret: [] },
      /^verifySignature: secret must be a non-empty array, but is an empty array/,
    ],
    ['no headers', { headers: undefined }, /^verifySignature: headers must be an object/],
    ['headers as a string', { headers: 'X-Kiket-Signature: 00' }, /^verifySignature: headers must be an object/],
    ['no scheme', { signatureSchemes: [] }, /^verifySignature: signatureSchemes/],
    ['an unknown scheme', { signatureSchemes: ['sha1'] }, /^verifySignature: signatureSchemes/],
    ['a tolerance that is not a number', { toleranceSeconds: '300' }, /^verifySignature: toleranceSeconds/],
    ['a clock that is not a function', { now: 1 }, /^verifySignature: now/],
    ['a misspelt option', { tolerance: 5 }, /^verifySignature: .*tolerance/],
  ])('should throw a TypeError for %s', (_name, options, message) => {
    expect(() => verify(options)).toThrow(TypeError);
    expect(() => verify(options)).toThrow(message);
  });
});

describe('the message of signature.mismatch', () => {
  const at = `${nowSeconds}`;
  it.each([
    ['the body', '{}', '2 bytes, with no newline at its end', undefined],
    ['the body', '{}\n', '3 bytes, with a newline at its end', undefined],
    ['the body', '', '0 bytes, with no newline at its end', undefined],
    ['<X-Kiket-Timestamp>.<body>', '{}', '2 bytes, ', at],
  ])('should name the signed content, %s, and the size of the body %j', (formula, given, size, timestamp) => {
    const options = { headers: headersOf('0'.repeat(64), timestamp), body: given };
    expect(() => verify(options)).toThrow(`is not the HMAC-SHA256 of ${formula} with a configured secret`);
    expect(() => verify(options)).toThrow(`The body has ${size}`);
    // No value that helps an attacker.
    expect(() => verify(options)).not.toThrow(/[0-9a-f]{16}/i);
    expect(() => verify(options)).not.toThrow(secret);
  });
});
