import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import { signDelivery } from 'kiket-express/testing';
import { computeMac, findKey, parseMac, toKeys } from '../../../lib/signature/hmac';

const secret = 'whsec_of_this_test';
const body = Buffer.from('{"event":"é"}');
const timestamp = '1764000000';

/** The HMACs of these bytes with this secret, computed with Python's hmac. */
const known = {
  body: '99cf99cfb6583dc365a4c57f936af0b16b6228eed43f8cbf8ed2bde938e888da',
  timestamped: '82dc7f0414158da68b84cb8437edadc2751ecaf70dae7386cd8377c8c469a802',
};

const [key] = toKeys('test', secret);
const macOf = (text: string) => Buffer.from(text, 'hex');

describe('computeMac', () => {
  it.each([
    ['the bytes', undefined, known.body],
    ['timestamp, dot and bytes', timestamp, known.timestamped],
  ])('should be the HMAC-SHA256 of %s', (_name, at, expected) => {
    expect(computeMac(key!, body, at).toString('hex')).toBe(expected);
    expect(computeMac(key!, body.toString(), at).toString('hex')).toBe(expected);
  });
});

describe('signDelivery', () => {
  it.each(['body', 'timestamped'] as const)('should sign by the same formula: %s', (scheme) => {
    const { headers } = signDelivery(body, { secret, scheme, timestampSeconds: Number(timestamp) });
    expect(headers['X-Kiket-Signature']).toBe(known[scheme]);
    expect(headers['X-Kiket-Timestamp']).toBe(scheme === 'body' ? undefined : timestamp);
  });
});

describe('parseMac', () => {
  it.each([known.body, known.body.toUpperCase(), `sha256=${known.body}`, `sha256=${known.body.toUpperCase()}`])(
    'should read %s',
    (header) => {
      expect(parseMac(header)).toEqual(macOf(known.body));
    },
  );

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an empty text', ''],
    ['a number', 42],
    ['an array of one', [known.body]],
    ['an array of two', [known.body, known.body]],
    ['an object that prints as a signature', { toString: () => known.body }],
    ['63 digits', known.body.slice(1)],
    ['65 digits', `${known.body}0`],
    ['a letter', `g${known.body.slice(1)}`],
    ['a line break at its end', `${known.body}\n`],
    ['a line break before it', `\n${known.body}`],
    ['two lines of which one is right', `x\n${known.body}`],
    ['a list', `${known.body}, ${known.body}`],
    ['a prefix in upper case', `SHA256=${known.body}`],
    ['digits of full width', known.body.replace('9', '９')],
  ])('should read nothing in %s', (_name, header) => {
    expect(parseMac(header)).toBeUndefined();
  });
});

describe('findKey', () => {
  const keys = toKeys('test', ['current', secret, 'older', secret]);

  it('should find the place of the first key that matches', () => {
    expect(findKey(keys, macOf(known.body), body, undefined)).toBe(1);
    expect(findKey(keys, macOf(known.timestamped), body, timestamp)).toBe(1);
  });

  it.each([
    ['the signature of the other scheme', known.timestamped, undefined],
    ['the signature of the other scheme', known.body, timestamp],
    ['the signature of another timestamp', known.timestamped, '1764000001'],
    ['the same time, written otherwise', known.timestamped, `0${timestamp}`],
    ['zeros', '0'.repeat(64), undefined],
  ])('should find no key for %s', (_name, mac, at) => {
    expect(findKey(keys, macOf(mac), body, at)).toBe(-1);
  });

  it('should find no key when one bit of 32 bytes differs', () => {
    for (let bit = 0; bit < 256; bit++) {
      const mac = macOf(known.body);
      mac[bit >> 3]! ^= 1 << (bit & 7);
      expect(findKey(keys, mac, body, undefined)).toBe(-1);
    }
  });

  it.each(['1.', '0.', '9.', `${timestamp}.`, `${'0'.repeat(400)}1.`])(
    'should find no key for a body that begins like timestamped content: %s',
    (start) => {
      const prefixed = Buffer.from(`${start}${body.toString()}`);
      const mac = computeMac(keys[0]!, prefixed, undefined);
      expect(findKey(keys, mac, prefixed, undefined)).toBe(-1);
    },
  );

  it.each(['1', '.', '1 .', '', 'a1.', '-1.'])('should find the key of a body that begins otherwise: %j', (start) => {
    const other = Buffer.from(`${start}{}`);
    expect(findKey(keys, computeMac(keys[0]!, other, undefined), other, undefined)).toBe(0);
  });

  it('should find no key in an empty list', () => {
    expect(findKey([], macOf(known.body), body, undefined)).toBe(-1);
  });
});

describe('toKeys', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  it.each<[string, unknown, number]>([
    ['a text', secret, 1],
    ['a text with white space inside', 'two words', 1],
    ['bytes', randomBytes(32), 1],
    ['bytes with white space around them', Buffer.from(' \n'), 1],
    ['a Uint8Array', new Uint8Array([1, 2, 3]), 1],
    ['a Uint8Array of another realm', runInNewContext('new Uint8Array([1, 2, 3])'), 1],
    ['a secret KeyObject', createSecretKey(randomBytes(32)), 1],
    ['a list', [secret, randomBytes(32), createSecretKey(randomBytes(32))], 3],
    ['one of a single character', 's', 1],
  ])('should accept %s', (_name, secrets, count) => {
    expect(toKeys('test', secrets)).toHaveLength(count);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an empty text', ''],
    ['white space alone', '   '],
    ['a newline at its end', `${secret}\n`],
    ['a carriage return at its end', `${secret}\r`],
    ['a space before it', ` ${secret}`],
    ['a byte order mark before it', `\ufeff${secret}`],
    ['a number', 42],
    ['a boolean', true],
    ['an object', { secret }],
    ['a symbol', Symbol(secret)],
    ['a big integer', 42n],
    ['empty bytes', Buffer.alloc(0)],
    ['an array of bytes', [1, 2, 3]],
    ['an empty Uint8Array', new Uint8Array()],
    ['an empty KeyObject', createSecretKey(Buffer.alloc(0))],
    ['a public key', publicKey],
    ['a private key', privateKey],
    ['an empty list', []],
    ['a list with nothing in it', [secret, undefined]],
    // eslint-disable-next-line no-sparse-arrays
    ['a list with a hole', [secret, , secret]],
    ['a list with a hole at its end', Object.assign([secret], { length: 2 })],
    ['a list with an empty text', [secret, '']],
    ['a list with a text with a newline', [secret, `${secret}\n`]],
    ['a list in a list', [[secret]]],
  ])('should throw a TypeError that shows no secret, for %s', (_name, secrets) => {
    const start = () => toKeys('kiketVerify', secrets);
    expect(start).toThrow(TypeError);
    expect(start).toThrow(/^kiketVerify: secret(?:\[\d\])? must be .*, but (?:is|has) /);
    expect(start).not.toThrow(secret);
  });
});
