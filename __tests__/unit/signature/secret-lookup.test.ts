import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { SignatureError } from '../../../lib/errors';
import { createKeyFinder, type KiketSecretSource } from '../../../lib/signature/secret-lookup';
import { failingCallbacks } from '../../support/failing-callbacks';

const secret = 'whsec_of_this_test';
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The code of the error, or the secrets found, as strings. */
async function found(source: unknown, timeoutMs = 5000): Promise<string | string[]> {
  const find = createKeyFinder('test', source as KiketSecretSource, timeoutMs);
  const exchange = { req: new IncomingMessage(new Socket()), onEnd: () => undefined };
  const keys = await new Promise<readonly KeyObject[] | SignatureError>((resolve) => find(exchange, resolve));
  return keys instanceof SignatureError ? keys.code : keys.map((key) => key.export().toString());
}

describe('a secret function', () => {
  it.each<[string, unknown, string[]]>([
    ['a string', secret, [secret]],
    ['bytes', Buffer.from(secret), [secret]],
    ['a KeyObject', createSecretKey(Buffer.from(secret)), [secret]],
    ['a list in all forms', ['current', Buffer.from(secret)], ['current', secret]],
  ])('should return the secrets when it returns or resolves to %s', async (_name, value, expected) => {
    expect(await found(() => value)).toEqual(expected);
    expect(await found(() => Promise.resolve(value))).toEqual(expected);
    expect(await found(() => ({ then: (resolve: (value: unknown) => void) => resolve(value) }))).toEqual(expected);
  });

  it.each<[string, string, unknown]>([
    ['signature.secret_unknown', 'nothing', undefined],
    ['signature.secret_unavailable', 'null', null],
    ['signature.secret_unavailable', 'an empty string', ''],
    ['signature.secret_unavailable', 'white space', ' \t'],
    ['signature.secret_unavailable', 'a secret with a newline', `${secret}\n`],
    ['signature.secret_unavailable', 'a secret with a space before it', ` ${secret}`],
    ['signature.secret_unavailable', 'a number', 42],
    ['signature.secret_unavailable', 'a boolean', true],
    ['signature.secret_unavailable', 'an object', { secret }],
    ['signature.secret_unavailable', 'a function', () => secret],
    ['signature.secret_unavailable', 'a symbol', Symbol('secret')],
    ['signature.secret_unavailable', 'an empty Buffer', Buffer.alloc(0)],
    ['signature.secret_unavailable', 'a public key', publicKey],
    ['signature.secret_unavailable', 'an empty list', []],
    ['signature.secret_unavailable', 'a list of nothing', [undefined]],
    ['signature.secret_unavailable', 'a list with a hole', Object.assign([secret], { length: 2 })],
    ['signature.secret_unavailable', 'a list with an empty string', [secret, '']],
    ['signature.secret_unavailable', 'a list in a list', [[secret]]],
  ])('should fail with %s when it returns or resolves to %s', async (code, _name, value) => {
    expect(await found(() => value)).toBe(code);
    expect(await found(() => Promise.resolve(value))).toBe(code);
  });

  it.each(failingCallbacks)('should fail with signature.secret_unavailable when it %s', async (_name, lookup) => {
    expect(await found(lookup, 10)).toBe('signature.secret_unavailable');
  });
});

describe('a secret that is not a function', () => {
  it('should not change with its list', async () => {
    const secrets = [secret];
    const find = createKeyFinder('test', secrets, 5000);
    secrets[0] = 'another';
    const exchange = { req: new IncomingMessage(new Socket()), onEnd: () => undefined };
    const keys = await new Promise<unknown>((resolve) => find(exchange, resolve));
    expect((keys as KeyObject[]).map((key) => key.export().toString())).toEqual([secret]);
  });
});
