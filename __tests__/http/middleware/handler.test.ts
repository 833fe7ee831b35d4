import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  allow,
  deny,
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketParse,
  kiketVerify,
  pending,
  type KiketHandler,
} from 'kiket-express';
import { Connection } from '../../support/connection';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeMajors, describeNewest, type Express } from '../../support/express';
import { signedRequest } from '../../support/signed-request';

/** A handler as in JavaScript, with an unchecked result. */
type LooseHandler = (...args: Parameters<KiketHandler>) => unknown;

const guard = { event: 'workflow.before_transition', transition: { from: 'todo', to: 'done' } };

class WithGetters {
  get status(): string {
    return 'allow';
  }
}

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;

function fail(): never {
  throw new Error('This cannot be read');
}

function serveWith(express: Express): (fn: LooseHandler) => ReturnType<Express> {
  return (fn) => endpoint(express, [kiket({ secret }), kiketHandler(fn as KiketHandler), kiketErrorHandler()]);
}

describeNewest('kiketHandler', (express) => {
  const serve = serveWith(express);

  describe('replies', () => {
    it.each<[string, LooseHandler, number, object | '']>([
      ['an object', () => ({ ok: true }), 200, { ok: true }],
      ['a promise of an object', () => Promise.resolve({ ok: true }), 200, { ok: true }],
      [
        'a thenable that is not a promise',
        () => ({ then: (resolve: (reply: object) => void) => resolve({ ok: true }) }),
        200,
        { ok: true },
      ],
      ['an array', () => [1, 'two'], 200, [1, 'two']],
      ['an object that writes itself as JSON', () => ({ toJSON: () => ({ ok: true }) }), 200, { ok: true }],
      ['text beyond ASCII', () => ({ text: 'Grüße 🚀' }), 200, { text: 'Grüße 🚀' }],
      ['nothing', () => undefined, 200, ''],
      ['a promise of nothing', async () => {}, 200, ''],
      ['null', () => null, 200, ''],
      ['allow()', () => allow(), 200, { status: 'allow' }],
      [
        'allow with all its options',
        () => allow({ message: 'Go', data: { score: 1 }, outputFields: { url: 'https://example.com' } }),
        200,
        { status: 'allow', message: 'Go', metadata: { score: 1, output_fields: { url: 'https://example.com' } } },
      ],
      [
        'allow with fields for the configuration screen',
        () => allow({ outputFields: { a: 'b' } }),
        200,
        { status: 'allow', metadata: { output_fields: { a: 'b' } } },
      ],
      ['deny with a message', () => deny('No'), 200, { status: 'deny', message: 'No' }],
      [
        'deny with data',
        () => deny('No', { data: { open: 2 } }),
        200,
        { status: 'deny', message: 'No', metadata: { open: 2 } },
      ],
      [
        'pending with data',
        () => pending('Wait', { data: { by: 'Ada' } }),
        200,
        { status: 'pending', message: 'Wait', metadata: { by: 'Ada' } },
      ],
      ['an object after res.status(201)', (_d, _req, res) => (res.status(201), { id: 1 }), 201, { id: 1 }],
      ['nothing after res.status(202)', (_d, _req, res) => void res.status(202), 202, ''],
      ['an object after res.status(204)', (_d, _req, res) => (res.status(204), { id: 1 }), 204, ''],
      ['an object after res.status(205)', (_d, _req, res) => (res.status(205), { id: 1 }), 205, ''],
      ['an object after res.status(302)', (_d, _req, res) => (res.status(302), { ok: 1 }), 200, { ok: 1 }],
      ['an object after res.status(404)', (_d, _req, res) => (res.status(404), { ok: 1 }), 200, { ok: 1 }],
      ['nothing after res.status(500)', (_d, _req, res) => void res.status(500), 200, ''],
    ])('should respond with %s', async (_name, fn, status, body) => {
      const response = await deliver(serve(fn)).expect(status);
      expect(response.text === '' ? '' : (JSON.parse(response.text) as unknown)).toEqual(body);
      if (body !== '') expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
    });

    it('should keep the headers that the handler has set', async () => {
      const app = serve((_delivery, _req, res) => {
        res.set('Cache-Control', 'no-store').set('X-Trace', 'abc');
        return { ok: true };
      });
      await deliver(app).expect(200, { ok: true }).expect('Cache-Control', 'no-store').expect('X-Trace', 'abc');
    });

    it.each<[string, unknown, string]>([
      ['an object', { ok: true }, '{"ok":true}'],
      ['nothing', undefined, ''],
    ])('should send the length of %s, whatever Content-Length the handler has set', async (_name, reply, text) => {
      const app = serve((_delivery, _req, res) => (res.set('Content-Length', '100'), reply));
      await Connection.to(app, async (connection) => {
        const { head, body } = signedRequest(JSON.stringify(example));
        expect(await connection.write(head, body).response()).toMatchObject({ status: 200, text });
      });
    });

    it.each<[string, LooseHandler]>([
      ['a string', () => 'ok'],
      ['an empty string', () => ''],
      ['a number', () => 200],
      ['a boolean', () => true],
      ['a BigInt', () => 1n],
      ['a symbol', () => Symbol('reply')],
      ['a function', () => () => ({})],
      ['a cyclic object', () => cyclic],
      ['an object with a BigInt', () => ({ count: 1n })],
      ['an object whose toJSON throws', () => ({ toJSON: fail })],
      ['an object whose toJSON gives nothing', () => ({ toJSON: () => undefined })],
      ['an object that cannot be read', () => Object.defineProperty({}, 'a', { get: fail, enumerable: true })],
      ['a promise of a string', () => Promise.resolve('ok')],
      ['the response', (_delivery, _req, res) => res.status(202)],
    ])('should 500 reply.invalid for %s', async (_name, fn) => {
      const response = await deliver(serve(fn)).expect(500);
      expect(response.body).toMatchObject({ error: { code: 'reply.invalid', retryable: true } });
    });
  });

  describe('guards', () => {
    it.each<[string, LooseHandler]>([
      ['nothing', () => undefined],
      ['a promise of nothing', async () => {}],
      ['null', () => null],
      ['an empty object', () => ({})],
      ['an array', () => ['allow']],
      ['another status', () => ({ status: 'yes' })],
      ['a status in capitals', () => ({ status: 'ALLOW' })],
      ['a status in an array', () => ({ status: ['allow'] })],
      ['a status that only a getter of its class has', () => new WithGetters()],
      ['a status that is not enumerable', () => Object.defineProperty({}, 'status', { value: 'allow' })],
      ['a status that toJSON drops', () => ({ status: 'allow', toJSON: () => ({ ok: true }) })],
      ['a status that is inherited', () => Object.create({ status: 'allow' }) as object],
    ])('should 500 reply.missing for %s', async (_name, fn) => {
      const response = await deliver(serve(fn), guard).expect(500);
      expect(response.body).toMatchObject({ error: { code: 'reply.missing', retryable: true } });
    });

    it.each<[string, unknown, object]>([
      ['allow()', allow(), { status: 'allow' }],
      ['deny()', deny('No'), { status: 'deny', message: 'No' }],
      ['pending()', pending('Wait'), { status: 'pending', message: 'Wait' }],
      ['an object of its own', { status: 'deny', extra: 1 }, { status: 'deny', extra: 1 }],
      ['an object that writes a status', { toJSON: () => ({ status: 'allow' }) }, { status: 'allow' }],
    ])('should respond with %s', async (_name, reply, body) => {
      await deliver(
        serve(() => reply),
        guard,
      ).expect(200, body);
    });

    it('should 500 reply.missing for a guard of another version too', async () => {
      const response = await deliver(
        serve(() => ({})),
        { ...guard, event_version: 'v2' },
      );
      expect(response.body).toMatchObject({ error: { code: 'reply.missing' } });
    });
  });

  describe('wiring', () => {
    const stages = { kiketVerify: [], kiketParse: [kiketVerify(secret)] };

    it.each(Object.entries(stages))('should 500 wiring.missing without %s', async (missing, before) => {
      const handler = kiketHandler(() => ({}));
      const response = await deliver(endpoint(express, [...before, handler, kiketErrorHandler()])).expect(500);
      expect(response.body).toMatchObject({
        error: { code: 'wiring.missing', message: expect.stringContaining(missing) as string },
      });
    });

    it('should work without kiketRespond', async () => {
      const handler = kiketHandler(() => ({ ok: true }));
      await deliver(endpoint(express, [kiketVerify(secret), kiketParse(), handler])).expect(200, { ok: true });
    });

    it('should 404 event.unhandled for any other event, naming its own', async () => {
      const handler = kiketHandler('issue.created', () => ({}));
      const response = await deliver(endpoint(express, [kiket({ secret }), handler, kiketErrorHandler()])).expect(404);
      expect(response.body).toMatchObject({
        error: {
          code: 'event.unhandled',
          message: 'No handler is registered for workflow.sla_status v1.',
          retryable: false,
          details: [{ events: ['issue.created'] }],
        },
      });
    });

    it.each<[string, unknown[]]>([
      ['no handler', ['issue.created']],
      ['a handler that is an object', [{}]],
      ['nothing', []],
      ['an empty event', ['', () => ({})]],
      ['an ill-formed event', ['issue created', () => ({})]],
    ])('should refuse %s at start-up', (_name, args) => {
      expect(() => (kiketHandler as (...args: unknown[]) => unknown)(...args)).toThrow(TypeError);
    });
  });
});

describeMajors('a handler that writes its own response', (express) => {
  const serve = serveWith(express);
  const text = 'x'.repeat(200_000);

  it('should let the handler stream', async () => {
    const app = serve((_delivery, _req, res) => pipeline(Readable.from([text, text]), res.type('text')));
    const response = await deliver(app).expect(200);
    expect(response.text).toBe(text + text);
  });

  it('should break the connection when a stream fails in the middle', async () => {
    const app = serve((_delivery, _req, res) => pipeline(Readable.from(failing()), res));
    await expect(deliver(app)).rejects.toThrow(/aborted|hang up/);
  });

  async function* failing(): AsyncGenerator<string> {
    yield text;
    await Promise.resolve();
    throw new Error('The source has failed');
  }

  it('should not end a response that the handler is still writing', async () => {
    const app = serve((_delivery, _req, res) => {
      res.write('one, ');
      setImmediate(() => res.end('two'));
      return { ok: true };
    });
    const response = await deliver(app).expect(200);
    expect(response.text || String(response.body)).toBe('one, two');
  });
});
