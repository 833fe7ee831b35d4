import type { RequestListener } from 'node:http';
import type { SignatureError } from '../../../lib/errors';
import { createKey, mintToken, reset, stall, startKeyServer, text } from '../../support/key-server';
import { claims } from '../../support/runtime-token';
import { turns } from '../../support/turns';
import { pass, setUp, verdictOf, type VerifierSetup } from './tokens';

const MAX_AGE_MS = 600_000;
const COOL_DOWN_MS = 10_000;
const PAUSE_MS = 1000;

const second = createKey('second');
const third = createKey('third');

const UNAVAILABLE = 'token.keys_unavailable';

describe('the keys', () => {
  it('should be fetched by the first token, and kept for ten minutes', async () => {
    const { key, server, verdict } = await setUp();
    await turns();
    expect(server.connections()).toBe(0);
    for (let i = 0; i < 5; i++) {
      expect(await verdict(key)).toBe('ok');
      pass(MAX_AGE_MS / 5 - 1);
    }
    expect(server.requests).toHaveLength(1);
  });

  it('should be fetched once for 100 tokens at the same time', async () => {
    const { key, server, verdict } = await setUp();
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => verdict(key)));
    expect([verdicts, server.requests.length]).toEqual([Array(100).fill('ok'), 1]);
  });

  it('should be renewed in the background after ten minutes, while the old ones are used', async () => {
    const { key, server, verdict } = await setUp();
    await verdict(key);
    server.publish(second);
    pass(MAX_AGE_MS);
    const release = server.hold();
    for (let i = 0; i < 10; i++) expect(await verdict(key)).toBe('ok');
    const waiting = verdict(second);
    await server.received(2);
    release();
    expect(await waiting).toBe('ok');
    // The old key was removed.
    expect(await verdict(key)).toBe('token.invalid');
    expect(server.requests).toHaveLength(2);
  });

  it('should be renewed in the background when the clock was set back', async () => {
    const { key, server, verdict } = await setUp();
    await verdict(key);
    server.publish(key, second);
    pass(-3_600_000);
    expect(await verdict(key)).toBe('ok');
    await server.received(2);
    while ((await verdict(second)) !== 'ok') await turns();
    expect(server.requests).toHaveLength(2);
  });

  it('should not be shared with another verifier', async () => {
    const setups = [await setUp(), await setUp()] as const;
    setups[1].server.publish(third);
    expect([await setups[0].verdict(third), await setups[1].verdict(third)]).toEqual(['token.invalid', 'ok']);
  });
});

describe('a new key', () => {
  it('should be fetched once for all its tokens, as soon as the last fetch is ten seconds old', async () => {
    const { key, server, verdict } = await setUp();
    await verdict(key);
    server.publish(second, key);
    pass(COOL_DOWN_MS - 1);
    expect([await verdict(second), server.requests.length]).toEqual(['token.invalid', 1]);
    pass(1);
    const verdicts = await Promise.all(Array.from({ length: 100 }, (_, i) => verdict(i % 2 ? key : second)));
    expect([verdicts, server.requests.length]).toEqual([Array(100).fill('ok'), 2]);
  });

  it('should cause one fetch in ten seconds when it is not published', async () => {
    const { key, server, verdict } = await setUp();
    await verdict(key);
    for (let round = 0; round < 3; round++) {
      pass(COOL_DOWN_MS);
      const verdicts = await Promise.all(Array.from({ length: 100 }, (_, i) => verdict(createKey(`${round}.${i}`))));
      expect(verdicts).toEqual(Array(100).fill('token.invalid'));
    }
    expect(server.requests).toHaveLength(4);
  });

  it('should be retryable while the key server is down', async () => {
    const { key, server, verdict, verify } = await setUp();
    await verdict(key);
    pass(COOL_DOWN_MS);
    server.respond = text(503, '');
    expect([await verdict(second), await verdict(second)]).toEqual([UNAVAILABLE, UNAVAILABLE]);
    // A token of a known key is verified as before.
    expect(await verdict(key)).toBe('ok');
    expect(verdictOf(await verify(mintToken(createKey('first'), claims)))).toBe('token.invalid');
    expect(server.requests).toHaveLength(2);

    server.respond = undefined;
    pass(PAUSE_MS);
    expect([await verdict(second), server.requests.length]).toEqual(['token.invalid', 3]);
  });
});

const outages: [string, RequestListener][] = [
  ['responds with 500', text(500, '{"keys":[]}')],
  ['redirects', text(302, '', { location: 'http://127.0.0.1:9/' })],
  ['responds with HTML', text(200, '<html>')],
  ['publishes no key', text(200, '{"keys":[]}')],
  ['publishes too many keys', text(200, JSON.stringify({ keys: Array(33).fill(second.jwk) }))],
  ['responds with too much', text(200, JSON.stringify({ keys: [second.jwk], pad: 'x'.repeat(1_048_576) }))],
  ['resets the connection', reset],
];

describe.each(outages)('while the key server %s', (_name, respond) => {
  it('should use the old keys, and try again after a second', async () => {
    const { key, server, verdict } = await setUp();
    await verdict(key);
    server.respond = respond;
    pass(MAX_AGE_MS);
    for (let requests = 2; requests < 5; requests++) {
      expect(await verdict(key)).toBe('ok');
      // Waits for the fetch that the line before has started.
      expect(await verdict(second)).toBe(UNAVAILABLE);
      pass(PAUSE_MS - 1);
      expect(await verdict(key)).toBe('ok');
      await turns();
      expect(server.requests).toHaveLength(requests);
      pass(1);
    }
    server.respond = undefined;
    server.publish(second);
    expect(await Promise.all([verdict(key), verdict(second)])).toEqual(['ok', 'ok']);
    expect([await verdict(key), server.requests.length]).toEqual(['token.invalid', 5]);
  });

  it('should fail all tokens of a second with one fetch when there are no keys yet', async () => {
    const { key, server, verdict, verify } = await setUp();
    server.respond = respond;
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => verdict(key)));
    expect(verdicts).toEqual(Array(100).fill(UNAVAILABLE));
    pass(PAUSE_MS - 1);
    const error = await verify(mintToken(key, claims));
    expect(error).toMatchObject({ code: UNAVAILABLE, status: 503, headers: { 'Retry-After': '1' } });
    expect(server.requests).toHaveLength(1);

    server.respond = undefined;
    pass(1);
    expect([await verdict(key), server.requests.length]).toEqual(['ok', 2]);
  });
});

describe('a key server that hangs', () => {
  beforeEach(() => {
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(ms / 50));
  });

  it.each<[string, RequestListener]>([
    ['before its response', () => undefined],
    ['in its response', stall],
  ])('should cost its time limit once, and its connection, when it hangs %s', async (_name, respond) => {
    const { key, server, verdict, verify } = await setUp();
    const closed = new Promise((resolve) => {
      server.respond = (req, res) => {
        req.socket.on('close', resolve);
        respond(req, res);
      };
    });
    const errors = await Promise.all(Array.from({ length: 10 }, () => verify(mintToken(key, claims))));
    expect(errors.map(causeOf)).toEqual(Array(10).fill('No response of the key server in 5000 ms'));
    await closed;
    pass(PAUSE_MS - 1);
    expect([await verdict(key), server.requests.length]).toEqual([UNAVAILABLE, 1]);
    server.respond = undefined;
    pass(1);
    expect(await verdict(key)).toBe('ok');
  });

  it('should delay no token of a known key', async () => {
    const { key, server, verdict } = await setUp();
    await verdict(key);
    pass(MAX_AGE_MS);
    server.respond = stall;
    for (let i = 0; i < 10; i++) expect(await verdict(key)).toBe('ok');
    expect(await verdict(second)).toBe(UNAVAILABLE);
    expect(server.requests).toHaveLength(2);
  });
});

describe('a response of the key server', () => {
  const { jwk } = createKey('first');
  const padded = (bytes: number): string => {
    const json = JSON.stringify({ keys: [jwk], pad: '' });
    return json.replace('"pad":""', `"pad":"${'x'.repeat(bytes - json.length)}"`);
  };
  const notASet = 'The key server did not respond with a JSON Web Key Set';
  const noKey = 'The key server has no public key for ES256';
  const tooMany = 'The key server has more than 32 public keys for ES256';

  it.each<[string, string, RequestListener]>([
    ['201', 'The key server responded with 201, not 200', text(201, JSON.stringify({ keys: [jwk] }))],
    ['404', 'The key server responded with 404, not 200', text(404, 'canary')],
    ['nothing', notASet, text(200, '')],
    ['HTML', notASet, text(200, '<html>canary</html>')],
    ['a part of JSON', notASet, text(200, '{"keys":[{"kid":"canary"')],
    ['a list', notASet, text(200, JSON.stringify([jwk]))],
    ['null', notASet, text(200, 'null')],
    ['keys by name', notASet, text(200, JSON.stringify({ keys: { first: jwk } }))],
    ['keys by a prototype', notASet, text(200, `{"__proto__":${JSON.stringify({ keys: [jwk] })}}`)],
    ['no keys', noKey, text(200, '{"keys":[]}')],
    ['a private key', noKey, text(200, JSON.stringify({ keys: [{ ...jwk, d: 'AAAA' }] }))],
    ['keys that are not objects', noKey, text(200, '{"keys":[null,1,"canary",[],{}]}')],
    ['33 keys', tooMany, text(200, JSON.stringify({ keys: Array(33).fill({ ...jwk, kid: undefined }) }))],
    ['too much', 'The key server responded with more than 1048576 bytes', text(200, padded(1_048_577))],
    ['more without end', 'The key server responded with more than 1048576 bytes', (req, res) => endless(req, res)],
    ['a reset', 'fetch failed', reset],
  ])('should be refused, and not be quoted, when it is %s', async (_name, message, respond) => {
    const { key, server, verify } = await setUp();
    server.respond = respond;
    const error = await verify(mintToken(key, claims));
    expect([error, causeOf(error)]).toEqual([expect.objectContaining({ code: UNAVAILABLE }), message]);
    expect((error as SignatureError).message).not.toContain(message);
  });

  it.each([301, 302, 307, 308])('should not lead to another server with %i', async (status) => {
    const { key, server, verdict } = await setUp();
    const other = await startKeyServer(key);
    server.respond = text(status, '', { location: other.url });
    expect([await verdict(key), other.connections()]).toEqual([UNAVAILABLE, 0]);
  });

  it('should be accepted with a megabyte, 32 keys, and any number of keys for other algorithms', async () => {
    const { key, server, verdict } = await setUp();
    const others = Array<object>(1000).fill({ kty: 'oct', k: 'AAAA' });
    const keys = [...others, ...Array<object>(31).fill(second.jwk), key.jwk];
    const json = JSON.stringify({ keys, pad: '' });
    server.respond = text(200, json.replace('"pad":""', `"pad":"${'x'.repeat(1_048_576 - json.length)}"`));
    expect(await verdict(key)).toBe('ok');
  });
});

describe('a key of the set', () => {
  const bad = createKey('bad');

  it.each<[string, unknown, string?]>([
    ['null', null],
    ['a string', 'bad'],
    ['a list', [bad.jwk]],
    ['private', { ...bad.jwk, ...bad.privateKey.export({ format: 'jwk' }) }],
    ['symmetric', { kty: 'oct', kid: 'bad', k: 'AAAA' }],
    ['of another curve', createKey('bad', 'ES384').jwk],
    ['for encryption', { ...bad.jwk, use: 'enc' }],
    ['for another algorithm', { ...bad.jwk, alg: 'ES384' }],
    // The platform published it, so that its tokens may be valid.
    ['not on its curve', { ...bad.jwk, y: bad.jwk.x }, UNAVAILABLE],
    ['without a coordinate', { ...bad.jwk, y: undefined }, UNAVAILABLE],
  ])('should not be used, while the others are, when it is %s', async (_name, jwk, verdict = 'token.invalid') => {
    const test = await setUp();
    test.server.publish(jwk, test.key, second);
    expect(await verdictsOf(test, test.key, second, bad)).toEqual(['ok', 'ok', verdict]);
    // A token without a kid is tried with each key.
    expect(verdictOf(await test.verify(mintToken(second, claims, { kid: undefined })))).toBe('ok');
  });

  it('should be found for a token without a kid, and for one whose kid two keys have', async () => {
    const { key, server, verify } = await setUp();
    server.publish(second, key, createKey('first'));
    for (const header of [{ kid: undefined }, {}]) {
      expect(verdictOf(await verify(mintToken(key, claims, header)))).toBe('ok');
    }
    expect(verdictOf(await verify(mintToken(third, claims, { kid: undefined })))).toBe('token.invalid');
  });
});

/** In sequence, so that the first fetch has ended before the second token. */
async function verdictsOf({ verdict }: VerifierSetup, ...keys: (typeof second)[]): Promise<string[]> {
  const verdicts: string[] = [];
  for (const key of keys) verdicts.push(await verdict(key));
  return verdicts;
}

function causeOf(error: unknown): unknown {
  return ((error as SignatureError).cause as Error).message;
}

const endless: RequestListener = (_req, res) => {
  const more = (): boolean => res.destroyed || (res.write('x'.repeat(65_536)) && more());
  res.on('drain', more);
  more();
};
