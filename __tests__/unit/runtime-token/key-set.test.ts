import type { SignatureError } from '../../../lib/errors';
import { KeySet, type KeySetOptions } from '../../../lib/runtime-token/key-set';
import { createKey, mintToken, reset, stall, startKeyServer, text } from '../../support/key-server';
import { claims } from '../../support/runtime-token';
import { turns } from '../../support/turns';
import { setUp, verdictOf } from '../../http/runtime-token/tokens';

const LIFETIME_MS = 600_000;
const COOL_DOWN_MS = 10_000;

const second = createKey('second');
const third = createKey('third');

describe('the keys', () => {
  it('should be fetched by the first use, not before, and once', async () => {
    const { key, server, verdict, pass } = await setUp();
    await turns();
    expect(server.connections()).toBe(0);
    for (let i = 0; i < 5; i++) {
      expect(await verdict(key)).toBe('ok');
      pass(LIFETIME_MS / 5 - 1);
    }
    expect(server.requests).toHaveLength(1);
  });

  it('should be fetched once for 100 at once', async () => {
    const { key, server, verdict } = await setUp();
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => verdict(key)));
    expect([verdicts, server.requests.length]).toEqual([Array(100).fill('ok'), 1]);
  });

  it('should be fetched again after ten minutes, and those that are gone do not count any more', async () => {
    const { key, server, verdict, pass } = await setUp();
    expect(await verdict(key)).toBe('ok');
    server.publish(second);
    pass(LIFETIME_MS);
    // The old set is used meanwhile; whoever needs the new one waits for it.
    expect(await Promise.all([verdict(key), verdict(second)])).toEqual(['ok', 'ok']);
    expect(await verdict(key)).toBe('token.invalid');
    expect(server.requests).toHaveLength(3);
  });
});

describe('a rotation', () => {
  it('should be followed at once, also right after a fetch', async () => {
    const { key, server, verdict } = await setUp();
    await verdict(key);
    server.publish(second, key);
    const verdicts = await Promise.all(Array.from({ length: 100 }, (_, i) => verdict(i % 2 ? key : second)));
    expect([verdicts, server.requests.length]).toEqual([Array(100).fill('ok'), 2]);
  });

  it('should be followed after the cool-down, when an unknown key was looked for less long ago', async () => {
    const { key, server, verdict, pass } = await setUp();
    await verdict(key);
    expect([await verdict(third), server.requests.length]).toEqual(['token.invalid', 2]);
    server.publish(second);
    pass(COOL_DOWN_MS - 1);
    expect([await verdict(second), server.requests.length]).toEqual(['token.invalid', 2]);
    pass(1);
    expect([await verdict(second), server.requests.length]).toEqual(['ok', 3]);
  });

  it('should be followed also when the clock has been set back', async () => {
    const { key, server, verdict, pass } = await setUp();
    await verdict(key);
    server.publish(second);
    pass(-3_600_000);
    expect(await verdict(second)).toBe('ok');
  });

  it('should be followed at once when the old and the new key have one name, or none', async () => {
    for (const kid of ['first', undefined]) {
      const { key, server, verdict, verify } = await setUp();
      await verdict(key);
      const renewed = createKey('first');
      server.publish({ ...renewed.jwk, kid });
      expect(verdictOf(await verify(mintToken(renewed, claims, { kid })))).toBe('ok');
      expect(server.requests).toHaveLength(2);
    }
  });
});

describe('unknown keys', () => {
  it('should not make anybody hammer the key server', async () => {
    const { key, server, verdict, pass } = await setUp();
    await verdict(key);
    for (let round = 0; round < 3; round++) {
      pass(COOL_DOWN_MS);
      const verdicts = await Promise.all(Array.from({ length: 100 }, (_, i) => verdict(createKey(`${round}.${i}`))));
      expect(verdicts).toEqual(Array(100).fill('token.invalid'));
      expect(await verdict(second)).toBe('token.invalid');
    }
    expect(server.requests).toHaveLength(4);
  });

  it('should be looked for once in the set that they have waited for, and once more in the cool-down', async () => {
    const { server, verdict } = await setUp();
    for (const requests of [1, 2, 2, 2]) {
      expect([await verdict(second), server.requests.length]).toEqual(['token.invalid', requests]);
    }
  });

  it('should be a matter of the key server when it cannot say whether they are new, and no more often asked', async () => {
    const { key, server, verdict, pass } = await setUp();
    await verdict(key);
    pass(COOL_DOWN_MS);
    server.answer = text(503, '');
    expect([await verdict(second), await verdict(second)]).toEqual([
      'token.keys_unavailable',
      'token.keys_unavailable',
    ]);
    expect([await verdict(key), server.requests.length]).toEqual(['ok', 2]);

    server.answer = undefined;
    pass(COOL_DOWN_MS);
    expect([await verdict(second), server.requests.length]).toEqual(['token.invalid', 3]);
  });
});

describe('an old set', () => {
  it('should decide what names a key of it, though the key server is down', async () => {
    const { key, server, verdict, verify, pass } = await setUp();
    await verdict(key);
    server.answer = reset;
    pass(COOL_DOWN_MS);
    expect(verdictOf(await verify(mintToken(createKey('first'), claims)))).toBe('token.invalid');
    expect(await verdict(second)).toBe('token.keys_unavailable');
  });

  it('should be used without waiting for a key server that hangs', async () => {
    const { key, server, verdict, pass } = await setUp();
    await verdict(key);
    pass(LIFETIME_MS);
    server.hold();
    for (let i = 0; i < 10; i++) expect(await verdict(key)).toBe('ok');
    await server.received(2);
    await turns();
    expect(server.requests).toHaveLength(2);
  });

  it('should let whoever needs a new key wait for the fetch that runs', async () => {
    const { key, server, verdict, pass } = await setUp();
    await verdict(key);
    pass(LIFETIME_MS);
    const release = server.hold();
    expect(await verdict(key)).toBe('ok');
    await server.received(2);
    const waiting = verdict(second);
    server.publish(second);
    release();
    expect([await waiting, server.requests.length]).toEqual(['ok', 2]);
  });

  it.each<[string, typeof reset]>([
    ['500', text(500, '{"keys":[]}')],
    ['garbage', text(200, '<html>')],
    ['an empty set', text(200, '{"keys":[]}')],
    ['too many keys', text(200, JSON.stringify({ keys: Array(33).fill(second.jwk) }))],
    ['a reset', reset],
  ])(
    'should be used further when the key server answers with %s, which is asked again later',
    async (_name, answer) => {
      const { key, server, verdict, pass } = await setUp();
      await verdict(key);
      server.answer = answer;
      pass(LIFETIME_MS);
      for (let tries = 2; tries < 5; tries++) {
        expect(await verdict(key)).toBe('ok');
        // Waits for the fetch that runs.
        expect(await verdict(second)).toBe('token.keys_unavailable');
        pass(COOL_DOWN_MS - 1);
        expect(await verdict(key)).toBe('ok');
        await turns();
        expect(server.requests).toHaveLength(tries);
        pass(1);
      }

      server.answer = undefined;
      server.publish(second);
      expect(await Promise.all([verdict(key), verdict(second)])).toEqual(['ok', 'ok']);
      expect(await verdict(key)).toBe('token.invalid');
      expect(server.requests).toHaveLength(6);
    },
  );
});

describe('a first fetch that fails', () => {
  it('should fail all who wait for it, and those of the next second, without another one', async () => {
    const { key, server, verdict, pass } = await setUp();
    server.answer = text(500, '');
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => verdict(key)));
    expect([verdicts, server.requests.length]).toEqual([Array(100).fill('token.keys_unavailable'), 1]);
    pass(999);
    expect([await verdict(key), server.requests.length]).toEqual(['token.keys_unavailable', 1]);
  });

  it('should say when to come again', async () => {
    const { key, server, verify, pass } = await setUp();
    server.answer = text(500, '');
    const token = mintToken(key, claims);
    expect(await verify(token)).toMatchObject({ code: 'token.keys_unavailable', retryAfterSeconds: 1 });
    pass(400);
    expect(await verify(token)).toMatchObject({ headers: { 'Retry-After': '1' } });
  });

  it('should be made up for after a second', async () => {
    const { key, server, verdict, pass } = await setUp();
    server.answer = reset;
    expect(await verdict(key)).toBe('token.keys_unavailable');
    server.answer = undefined;
    pass(1000);
    expect([await verdict(key), server.requests.length]).toEqual(['ok', 2]);
  });

  it('should count from its end, however long it takes', async () => {
    const { key, server, verdict, pass } = await setUp();
    const release = server.hold();
    server.answer = text(500, '');
    const first = verdict(key);
    await server.received(1);
    pass(4000);
    release();
    expect([await first, await verdict(key), server.requests.length]).toEqual([
      'token.keys_unavailable',
      'token.keys_unavailable',
      1,
    ]);
  });
});

function keySetOf(url: string, options: Partial<KeySetOptions> = {}): KeySet {
  return new KeySet(url, { now: () => 0, ...options });
}

/** The cause that a use ends with. */
async function causeOf(keySet: KeySet): Promise<string> {
  const error: unknown = await keySet.get().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'token.keys_unavailable', status: 503 });
  return ((error as SignatureError).cause as Error).message;
}

describe('an answer of the key server', () => {
  const { jwk } = createKey('first');
  const pad = (bytes: number): string => {
    const json = JSON.stringify({ keys: [jwk], pad: '' });
    return json.replace('"pad":""', `"pad":"${'x'.repeat(bytes - json.length)}"`);
  };

  it.each<[string, RegExp, typeof reset]>([
    ['201', /answered 201/, text(201, JSON.stringify({ keys: [jwk] }))],
    ['404 with keys', /answered 404/, text(404, JSON.stringify({ keys: [jwk] }))],
    ['500', /answered 500/, text(500, 'x'.repeat(100_000))],
    ['204', /answered 204/, text(204, '')],
    ['304', /answered 304/, text(304, '')],
    ['nothing', /not answer with a JSON Web Key Set/, text(200, '')],
    ['HTML', /not answer with a JSON Web Key Set/, text(200, '<html>canary</html>')],
    ['a part of JSON', /not answer with a JSON Web Key Set/, text(200, '{"keys":[{"kid":"canary"')],
    ['a list', /not answer with a JSON Web Key Set/, text(200, JSON.stringify([jwk]))],
    ['null', /not answer with a JSON Web Key Set/, text(200, 'null')],
    ['one key', /not answer with a JSON Web Key Set/, text(200, JSON.stringify(jwk))],
    ['keys by name', /not answer with a JSON Web Key Set/, text(200, JSON.stringify({ keys: { first: jwk } }))],
    [
      'keys of the prototype',
      /not answer with a JSON Web Key Set/,
      text(200, `{"__proto__":${JSON.stringify({ keys: [jwk] })}}`),
    ],
    ['no keys', /No key/, text(200, '{"keys":[]}')],
    ['a private key alone', /No key/, text(200, JSON.stringify({ keys: [{ ...jwk, d: 'AAAA' }] }))],
    ['keys that are none', /No key/, text(200, '{"keys":[null,1,"canary",[],{}]}')],
    ['33 keys', /more than 32 public keys for ES256/, text(200, JSON.stringify({ keys: Array(33).fill(jwk) }))],
    [
      'thousands of keys without a name',
      /more than 32 public keys for ES256/,
      text(200, JSON.stringify({ keys: Array(5000).fill({ ...jwk, kid: undefined }) })),
    ],
    ['too much', /more than 1048576 bytes/, text(200, pad(1_048_577))],
    ['a reset', /fetch failed/, reset],
  ])('should be refused, and not be quoted: %s', async (_name, message, answer) => {
    const server = await startKeyServer();
    server.answer = answer;
    const cause = await causeOf(keySetOf(server.url));
    expect(cause).toMatch(message);
    expect(cause).not.toContain('canary');
  });

  it('should be refused where it goes on without end', async () => {
    const server = await startKeyServer();
    server.answer = (_req, res) => {
      const more = (): boolean => res.destroyed || (res.write('x'.repeat(65_536)) && more());
      res.on('drain', more);
      more();
    };
    expect(await causeOf(keySetOf(server.url))).toMatch(/more than 1048576 bytes/);
  });

  it('should be taken with 32 keys, and with any number of others', async () => {
    const server = await startKeyServer();
    const others = Array<object>(1000).fill({ ...jwk, alg: 'ES384' });
    server.answer = text(200, JSON.stringify({ keys: [...others, ...Array<object>(32).fill(jwk)] }));
    expect((await keySetOf(server.url).get()).keys).toHaveLength(32);
  });

  it('should be taken up to a megabyte', async () => {
    const server = await startKeyServer();
    server.answer = text(200, pad(1_048_576));
    expect((await keySetOf(server.url).get()).keys).toHaveLength(1);
  });

  it.each([301, 302, 307, 308])('should not lead elsewhere: %i', async (status) => {
    const [server, other] = await Promise.all([startKeyServer(), startKeyServer(jwk)]);
    server.answer = text(status, '', { location: other.url });
    expect(await causeOf(keySetOf(server.url))).toMatch(/fetch failed/);
    expect(other.connections()).toBe(0);
  });

  it.each([
    ['does not come', undefined],
    ['does not end', stall],
  ])('should be given up when it %s, and the connection closed', async (_name, answer) => {
    const server = await startKeyServer();
    const closed = new Promise((resolve) => {
      server.answer = (req, res) => {
        req.socket.on('close', resolve);
        answer?.(req, res);
      };
    });
    const cause = await causeOf(keySetOf(server.url, { timeoutMs: 50 }));
    expect(cause).toBe('No answer of the key server within 50 ms');
    await closed;
  });

  it('should be given up where nobody listens', async () => {
    expect(await causeOf(keySetOf('http://127.0.0.1:1/'))).toMatch(/fetch failed|bad port/);
  });
});

describe('a key of the set', () => {
  const bad = createKey('bad');
  const privateJwk = bad.privateKey.export({ format: 'jwk' });

  it.each<[string, unknown]>([
    ['null', null],
    ['a text', 'bad'],
    ['a list', [bad.jwk]],
    ['an empty object', {}],
    ['private', { ...bad.jwk, ...privateJwk }],
    ['private without a name', privateJwk],
    ['symmetric', { kty: 'oct', kid: 'bad', k: 'AAAA' }],
    ['of RSA', createKey('bad', 'RS256').jwk],
    ['of another curve', createKey('bad', 'ES384').jwk],
    ['of an unknown curve', { ...bad.jwk, crv: 'P-257' }],
    ['without a curve', { ...bad.jwk, crv: undefined }],
    ['without a coordinate', { ...bad.jwk, y: undefined }],
    ['with a coordinate that is a number', { ...bad.jwk, y: 1 }],
    ['with a coordinate that is too short', { ...bad.jwk, y: 'AAAA' }],
    ['not on its curve', { ...bad.jwk, y: bad.jwk.x }],
    ['for encryption', { ...bad.jwk, use: 'enc' }],
    ['for signing only', { ...bad.jwk, key_ops: ['sign'] }],
    ['for another algorithm', { ...bad.jwk, alg: 'ES384' }],
  ])('should count for nothing, and leave the others their use, when it is %s', async (_name, jwk) => {
    const { key, server, verdict } = await setUp();
    server.publish(jwk, key, second);
    expect([await verdict(key), await verdict(second), await verdict(bad)]).toEqual(['ok', 'ok', 'token.invalid']);
  });

  it('should be found by a token that does not name it, and by one whose name two keys have', async () => {
    const { key, server, verify } = await setUp();
    server.publish(second, key, createKey('first'));
    for (const header of [{ kid: undefined }, {}]) {
      expect(verdictOf(await verify(mintToken(key, claims, header)))).toBe('ok');
    }
    expect(verdictOf(await verify(mintToken(third, claims, { kid: undefined })))).toBe('token.invalid');
  });

  it('should not be one of another verifier', async () => {
    const setups = [await setUp(), await setUp()] as const;
    setups[1].server.publish(third);
    expect([await setups[0].verdict(third), await setups[1].verdict(third)]).toEqual(['token.invalid', 'ok']);
  });
});
