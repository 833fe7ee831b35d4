import { createSecretKey } from 'node:crypto';
import { explainSignature, signDelivery, type ExplainSignatureOptions } from 'kiket-express/testing';

const secret = 'kiket-delivery-secret';
const { headers, body } = signDelivery({ event: 'issue.created' }, { secret });

describe('explainSignature', () => {
  it.each([
    ['an object', headers],
    ['lists', Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))],
    ['lines', Object.entries(headers)],
    ['an object with an absent one', { ...headers, accept: undefined }],
  ])('should take headers as %s', (_name, given) => {
    expect(explainSignature({ headers: given, body }, secret).verdict).toBe('valid');
  });

  it.each([
    ['a string', String(body), secret],
    ['a Buffer', Buffer.from(body), Buffer.from(secret)],
    ['bytes', new Uint8Array(Buffer.from(body)), createSecretKey(secret, 'utf8')],
  ])('should take the body as %s', (_name, given, key) => {
    expect(explainSignature({ headers, body: given }, ['current', key])).toMatchObject({
      verdict: 'valid',
      secretIndex: 1,
    });
  });

  it.each<[string, ExplainSignatureOptions, object]>([
    ['now', { now: () => Date.now() + 900_000 }, { verdict: 'refused', code: 'signature.stale' }],
    ['toleranceSeconds', { now: () => Date.now() + 900_000, toleranceSeconds: 1000 }, { verdict: 'valid' }],
    ['signatureSchemes', { signatureSchemes: ['body'] }, { verdict: 'refused', causes: [{ id: 'scheme-refused' }] }],
    ['showExpected', { showExpected: true }, { expected: headers['X-Kiket-Signature'] }],
  ])('should keep to %s', (_name, options, expected) => {
    expect(explainSignature({ headers, body }, secret, options)).toMatchObject(expected);
  });

  it('should take the name of the variable for a secret', () => {
    const signed = signDelivery({ event: 'issue.created' }, { secret: 'env.MY_SECRET' });
    const { causes } = explainSignature(signed, secret, { secretName: 'MY_SECRET' });
    expect(causes.map(({ id }) => id)).toEqual(['secret-reference']);
  });

  it('should return further explanations with all', () => {
    const empty = explainSignature({ headers, body: `${String(body)}\n` }, secret, { all: true });
    expect(empty.combinations).toBeGreaterThan(5000);
    expect(empty.causes.map(({ id }) => id)).toEqual(['body-newlines']);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['no secret', () => explainSignature({ headers, body }, ''), /^explainSignature: secret must be/],
    ['no request', () => explainSignature(undefined as never, secret), /^explainSignature: request must be an object/],
    ['no headers', () => explainSignature({ body } as never, secret), /^explainSignature: headers must be/],
    [
      'a parsed body',
      () => explainSignature({ headers, body: {} } as never, secret),
      /^explainSignature: body must be/,
    ],
    ['an unknown option', () => explainSignature({ headers, body }, secret, { al: 1 } as never), /unknown option "al"/],
  ])('should throw a TypeError for %s', (_name, act, message) => {
    expect(act).toThrow(TypeError);
    expect(act).toThrow(message);
  });
});
