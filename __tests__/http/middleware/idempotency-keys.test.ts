import type { RequestListener } from 'node:http';
import type { RequestHandler } from 'express';
import { kiket, kiketErrorHandler, kiketHandler, kiketIdempotency, KiketMemoryStore } from 'kiket-express';
import { signDelivery } from 'kiket-express/testing';
import { attempt, once, sameBytes, type OnceOptions } from '../../support/attempts';
import { example, secret, type DeliverOptions } from '../../support/deliver';
import { endpoint, type Stage } from '../../support/endpoint';
import { majors } from '../../support/express';
import { carrying, claims, NOW, send, startPlatform, tokenWith, unsignedWith } from '../../support/runtime-token';
import { WatchedStore } from '../../support/watched-store';

const express = majors['Express 5'];

interface Sent {
  readonly payload?: object | string | Buffer;
  readonly options?: DeliverOptions;
}

/** The contract's example as the platform sends it again: signed a second later, with a token of its own. */
const fresh = { ...example, authentication: { ...example.authentication, runtime_token: 'another_token' } };

const { event, event_version, ...eventless } = example;

const PER_ATTEMPT = ['authentication', 'secrets', 'secret_status'];

describe('kiketIdempotency', () => {
  /** An application whose handler replies with the number of its run. */
  function counting(options: OnceOptions & { store?: WatchedStore; stages?: Stage[] } = {}): RequestListener {
    const { store = new KiketMemoryStore(), stages = [], ...rest } = options;
    let runs = 0;
    return once(express, store, [...stages, kiketHandler(() => ({ run: ++runs }))], rest);
  }

  /** Sends attempts in sequence, and expects the response of the run with this number. */
  async function expectRuns(app: RequestListener, sent: readonly (Sent & { run: number })[]): Promise<void> {
    let runs = 0;
    for (const { payload, options, run } of sent) {
      const response = await attempt(app, payload, options).expect(200);
      expect(response.body).toEqual({ run });
      expect(response.headers['kiket-replayed']).toBe(run > runs ? undefined : 'true');
      runs = Math.max(runs, run);
    }
  }

  describe('the same signed bytes', () => {
    it.each<[string, DeliverOptions]>([
      ['as they were', {}],
      ['with a forged invocation', { invocationId: 'forged' }],
      ['without an invocation', { headers: { 'X-Kiket-Invocation': undefined } }],
      ['with another header for it', { headers: { 'X-Kiket-Invocation': undefined, 'X-Kiket-Delivery': 'forged' } }],
      ['with an empty invocation', { headers: { 'X-Kiket-Invocation': '' } }],
      ['with an invocation of many characters', { invocationId: 'x'.repeat(5000) }],
      ['with a forged organization', { organizationId: 8 }],
      ['with an organization that is not a number', { headers: { 'X-Kiket-Organization': '7 x' } }],
      ['without an organization', { headers: { 'X-Kiket-Organization': undefined } }],
      ['with a project', { projectId: example.issue.project_id }],
      ['with the event in a header', { event }],
      ['with the version in a header', { eventVersion: event_version }],
      ['with other letters in the signature', { headers: signatureInUpperCase() }],
      [
        'with everything forged',
        { invocationId: 'forged', organizationId: 1, headers: { 'X-Kiket-Delivery': 'other' } },
      ],
    ])('should not run again %s', async (_name, options) => {
      await expectRuns(counting(), [{ run: 1 }, { options, run: 1 }, { run: 1 }, { options, run: 1 }]);
    });

    it.each<[string, DeliverOptions]>([
      ['another event', { event: 'issue.created' }],
      ['another version', { event, eventVersion: 'v2' }],
      ['no version', { event }],
    ])('should not run again with %s in headers that name the event', async (_name, options) => {
      const payload = eventless;
      const first = { event, eventVersion: event_version };
      await expectRuns(counting(), [
        { payload, options: first, run: 1 },
        { payload, options, run: 1 },
      ]);
    });

    it('should not run again under the body scheme, which never goes stale', async () => {
      const options: DeliverOptions = { scheme: 'body' };
      await expectRuns(counting(), [
        { options, run: 1 },
        { options: { ...options, invocationId: 'forged' }, run: 1 },
        { options: { ...options, invocationId: 'forged again', timestampSeconds: 1 }, run: 1 },
      ]);
    });

    it('should be 401 with an added timestamp, before anything is claimed', async () => {
      const store = new WatchedStore();
      const app = counting({ store });
      await attempt(app, example, { scheme: 'body' }).expect(200);
      await attempt(app, example, {
        scheme: 'body',
        headers: { 'X-Kiket-Timestamp': String(sameBytes.timestampSeconds) },
      }).expect(401);
      expect(store.callsOf('claim')).toHaveLength(1);
    });

    it('should run once when they never had an invocation', async () => {
      const options = { headers: { 'X-Kiket-Invocation': undefined } };
      const store = new WatchedStore();
      await expectRuns(counting({ store }), [
        { options, run: 1 },
        { options, run: 1 },
        { options: { invocationId: 'forged' }, run: 1 },
      ]);
      expect(store.calls[0]!.keys).toHaveLength(1);
    });
  });

  describe('a retry', () => {
    const token = { token_type: 'runtime', runtime_token: 'fresh', expires_at: '2030-01-01T00:00:00Z', scopes: ['*'] };
    const rest = Object.fromEntries(Object.entries(example).filter(([name]) => !PER_ATTEMPT.includes(name)));

    it.each<[string, object | string]>([
      ['a fresh token', fresh],
      [
        'fresh members in front',
        { secret_status: { missing: ['A'] }, secrets: { B: 'b' }, authentication: token, ...rest },
      ],
      ['fresh members at the end', { ...rest, authentication: token, secrets: {}, secret_status: null }],
      ['none of them', rest],
      ['each of them null', { ...rest, authentication: null, secrets: null, secret_status: null }],
      [
        'escapes in their names',
        JSON.stringify({ ...rest, secrets: { A: 'x' } }).replace('"secrets"', '"s\\u0065crets"'),
      ],
      ['white space after them', `${JSON.stringify({ ...rest, secrets: {} }).slice(0, -1)} \n} \n`],
      ['a byte order mark', Buffer.from(`\ufeff${JSON.stringify(rest)}`)],
    ])('should get the response of the first attempt, with %s', async (_name, payload) => {
      await expectRuns(counting(), [
        { run: 1 },
        { payload, options: { timestampSeconds: sameBytes.timestampSeconds + 1 }, run: 1 },
        // Its bytes are bound from then on.
        { payload, options: { timestampSeconds: sameBytes.timestampSeconds + 1, invocationId: 'forged' }, run: 1 },
        { run: 1 },
      ]);
    });

    it('should be recognised by X-Kiket-Delivery as well', async () => {
      const options = { headers: { 'X-Kiket-Invocation': undefined, 'X-Kiket-Delivery': 'inv-1' } };
      await expectRuns(counting(), [
        { options, run: 1 },
        { payload: fresh, options, run: 1 },
        { payload: fresh, run: 1 },
      ]);
    });

    it('should be recognised after the delivery secret has been rotated', async () => {
      const app = counting({ secret: ['the new secret', secret] });
      await expectRuns(app, [
        { run: 1 },
        { options: { secret: 'the new secret' }, run: 1 },
        { options: { secret: 'the new secret', invocationId: 'forged' }, run: 1 },
      ]);
    });

    it('should be recognised under the other scheme', async () => {
      await expectRuns(counting(), [{ run: 1 }, { options: { scheme: 'body' }, run: 1 }]);
    });

    it('should be recognised by its bytes when a middleware has changed req.body', async () => {
      let count = 0;
      const change: RequestHandler = (req, _res, next) => {
        (req as { body?: object }).body = { changed: ++count };
        delete (req as unknown as { kiket: { payload: Record<string, unknown> } }).kiket.payload['context'];
        next();
      };
      let runs = 0;
      const app = mounted(
        [change],
        kiketHandler(() => ({ run: ++runs })),
      );
      await expectRuns(app, [{ run: 1 }, { payload: fresh, run: 1 }]);
    });

    it('should run again without an invocation', async () => {
      const options = { headers: { 'X-Kiket-Invocation': undefined } };
      await expectRuns(counting(), [
        { options, run: 1 },
        { payload: fresh, options, run: 2 },
      ]);
    });
  });

  describe('another delivery', () => {
    it('should run with a stolen invocation, and not block the real delivery', async () => {
      const other = { ...example, context: { other: true } };
      await expectRuns(counting(), [
        { payload: other, run: 1 },
        { run: 2 },
        { payload: fresh, run: 2 },
        { payload: other, run: 1 },
      ]);
    });

    it.each<[string, DeliverOptions]>([
      ['another invocation', { invocationId: 'inv-2' }],
      ['another organization', { organizationId: 8 }],
      ['no organization', { headers: { 'X-Kiket-Organization': undefined } }],
      ['an invocation that differs in its case', { invocationId: 'INV-1' }],
    ])('should run with the same payload and %s', async (_name, options) => {
      await expectRuns(counting(), [
        { run: 1 },
        { payload: fresh, options, run: 2 },
        { run: 1 },
        { payload: fresh, options, run: 2 },
      ]);
    });

    it('should run with the same body, signed at another time', async () => {
      const later: DeliverOptions = { timestampSeconds: sameBytes.timestampSeconds - 1, invocationId: 'inv-2' };
      await expectRuns(counting(), [{ run: 1 }, { options: later, run: 2 }, { run: 1 }, { options: later, run: 2 }]);
    });

    it('should differ from one whose ids are the same when concatenated', async () => {
      const ids = (organization: string | undefined, invocation: string): DeliverOptions => ({
        headers: { 'X-Kiket-Organization': organization, 'X-Kiket-Invocation': invocation },
      });
      await expectRuns(counting(), [
        { options: ids('1', '11'), run: 1 },
        { payload: fresh, options: ids('11', '1'), run: 2 },
        { payload: { ...fresh, secrets: {} }, options: ids(undefined, '1 11'), run: 3 },
      ]);
    });

    it('should run when only a nested member differs', async () => {
      await expectRuns(counting(), [
        { payload: { event, context: { secrets: { a: 1 } } }, run: 1 },
        { payload: { event, context: { secrets: { a: 2 } } }, run: 2 },
      ]);
    });
  });

  it('should use hashes as keys, with one hash tag for a delivery', async () => {
    const store = new WatchedStore();
    await attempt(counting({ store })).expect(200);
    const { keys } = store.calls[0]!;
    const [tag] = /^\{[0-9a-f]{64}\}/.exec(keys[0]!)!;
    expect(keys).toEqual([
      expect.stringMatching(/:attempt:[0-9a-f]{64}$/),
      expect.stringMatching(/:delivery:[0-9a-f]{64}$/),
    ]);
    for (const key of keys) expect(key.startsWith(`${tag}:`)).toBe(true);
    const mac = signDelivery(example, { secret, ...sameBytes }).headers['X-Kiket-Signature']!;
    expect(keys.join()).not.toContain(mac);
  });

  describe('behind kiketRuntimeToken alone', () => {
    async function tokenApp(): Promise<RequestListener> {
      const { stages } = await startPlatform();
      let runs = 0;
      return endpoint(express, [
        ...stages('in place of kiketVerify'),
        kiketIdempotency(new KiketMemoryStore()),
        kiketHandler(() => ({ run: ++runs })),
        kiketErrorHandler(),
      ]);
    }

    const invocation = (id: string | undefined): ReturnType<typeof unsignedWith> =>
      unsignedWith({ 'X-Kiket-Invocation': id });

    it('should recognise the same bytes, a retry with a fresh token, and another delivery', async () => {
      const app = await tokenApp();
      const first = carrying(tokenWith());
      const retry = carrying(tokenWith({ jti: 'another', iat: NOW }));
      const responses: [string, object][] = [];
      const replay = async (payload: object, id: string | undefined): Promise<void> => {
        const { status, text, headers } = await send(app, payload, invocation(id));
        expect(status).toBe(200);
        responses.push([headers['kiket-replayed'] ?? 'run', JSON.parse(text) as object]);
      };
      await replay(first, 'inv-1');
      await replay(first, 'inv-1');
      await replay(first, 'forged');
      await replay(first, undefined);
      await replay(retry, 'inv-1');
      await replay(retry, 'forged');
      await replay(carrying(tokenWith({ jti: 'a third' })), 'inv-2');
      expect(responses).toEqual([
        ['run', { run: 1 }],
        ...Array.from({ length: 5 }, () => ['true', { run: 1 }]),
        ['run', { run: 2 }],
      ]);
    });

    it('should use the organization of the token', async () => {
      const app = await tokenApp();
      const of = (org_id: number): object => carrying(tokenWith({ org_id, jti: `of ${org_id}` }));
      expect((await send(app, of(claims.org_id), invocation('inv-1'))).text).toBe('{"run":1}');
      expect((await send(app, of(8), invocation('inv-1'))).text).toBe('{"run":2}');
    });
  });
});

function signatureInUpperCase(): Record<string, string> {
  const { headers } = signDelivery(example, { secret, ...sameBytes });
  return { 'X-Kiket-Signature': `sha256=${headers['X-Kiket-Signature']!.toUpperCase()}` };
}

/** An application with kiketIdempotency after kiketParse and `between`. */
function mounted(between: readonly Stage[], handler: Stage): RequestListener {
  return endpoint(express, [
    kiket({ secret }),
    ...between,
    kiketIdempotency(new KiketMemoryStore()),
    handler,
    kiketErrorHandler(),
  ]);
}
