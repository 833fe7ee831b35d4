import { once as event } from 'node:events';
import { createServer, IncomingMessage, ServerResponse, type RequestListener } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server, type ClientHttp2Session } from 'node:http2';
import { Socket, type AddressInfo } from 'node:net';
import type { Request, Response } from 'express';
import serverless from 'serverless-http';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketIdempotency,
  kiketVerify,
  type KiketMiddleware,
  type KiketRecord,
} from 'kiket-express';
import { signDelivery } from 'kiket-express/testing';
import { attemptBytes } from '../../support/attempts';
import { Connection } from '../../support/connection';
import { example, secret } from '../../support/deliver';
import { endpoint, type Stage } from '../../support/endpoint';
import { describeNewest, majors } from '../../support/express';
import { createGate } from '../../support/gate';
import { published } from '../../support/published';
import { signedRequest } from '../../support/signed-request';
import { turns } from '../../support/turns';
import { until } from '../../support/until';
import { warningsOf } from '../../support/warnings';
import { WatchedStore } from '../../support/watched-store';

const SLOW = 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n';

/** Timers that keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

describeNewest('a delivery that was sent ahead on a connection which then closes', (express) => {
  /** Sends requests behind one that has no response yet, and disconnects once `isThere` returns true. */
  async function sendAhead(
    stages: readonly Stage[],
    requests: readonly (string | Buffer)[],
    isThere: () => boolean,
  ): Promise<void> {
    const app = endpoint(express, stages);
    app.get('/slow', () => undefined);
    await Connection.to(app, async (connection) => {
      connection.write(SLOW, ...requests);
      await until(isThere);
      connection.break();
      await turns(20);
    });
  }

  it('should end with one record and one abort each, regardless of later acts of its handler', async () => {
    const { head, body } = signedRequest(JSON.stringify(example));
    const handlers: Record<string, Stage> = {
      'never settles': kiketHandler(() => new Promise<object>(() => undefined)),
      'has responded already': kiketHandler(() => ({})),
      'is plain and never responds': () => undefined,
      'is plain and has responded': (_req: Request, res: Response) => void res.json({}),
    };
    for (const [name, handler] of Object.entries(handlers)) {
      const collected: KiketRecord[] = [];
      let aborts = 0;
      let arrived = 0;
      const before = timers();
      const stages: Stage[] = [
        kiket({ secret, onCompleted: (record) => void collected.push(record) }),
        (req: Request, _res: Response, next: () => void) => {
          arrived += 1;
          req.kiket!.signal!.addEventListener('abort', () => aborts++);
          next();
        },
        handler,
      ];
      const records = await published('kiket:delivery', () =>
        sendAhead(stages, [head, body, head, body, head, body], () => arrived === 3),
      );
      const left = { outcome: 'retryable', status: 0, event: 'workflow.sla_status' };
      expect({ name, records, aborts }).toMatchObject({ name, records: [left, left, left], aborts: 3 });
      expect(collected).toHaveLength(3);
      await until(() => timers() <= before);
    }
  });

  it('should leave no timer and print no warning when many unsigned requests are sent ahead', async () => {
    const before = timers();
    let refused = 0;
    const request = 'POST /kiket HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n';
    let records: KiketRecord[] = [];
    const warnings = await warningsOf(async () => {
      records = await published<KiketRecord>('kiket:delivery', () =>
        sendAhead(
          [kiket({ secret, onRefused: () => void refused++ }), kiketErrorHandler()],
          Array.from({ length: 20 }, () => request),
          () => refused === 20,
        ),
      );
    });
    expect(records).toHaveLength(20);
    await until(() => timers() <= before);
    expect(warnings).toEqual([]);
  });

  it('should let its claim expire when a plain handler never responds', async () => {
    const store = new WatchedStore();
    const { head, body } = attemptBytes();
    await sendAhead(
      [kiket({ secret }), kiketIdempotency(store, { lockSeconds: 1 }), () => undefined],
      [head, body],
      () => store.methods.includes('claim'),
    );
    // The lock is renewed once more, and then no more.
    await store.called('renew');
    await new Promise((resolve) => setTimeout(resolve, 1300));
    expect(store.methods).toEqual(['claim', 'renew']);
  });

  it('should respond to the next attempt with the reply that its handler returned later', async () => {
    const store = new WatchedStore();
    const { head, body } = attemptBytes();
    const late = createGate();
    const stages = [
      kiket({ secret }),
      kiketIdempotency(store),
      kiketHandler(() => late.opened.then(() => ({ late: true }))),
    ];
    await sendAhead(stages, [head, body], () => store.methods.includes('claim'));
    late.open();
    await store.called('complete');
    await Connection.to(endpoint(express, stages), async (connection) => {
      expect(await connection.write(head, body).response()).toMatchObject({ status: 200, text: '{"late":true}' });
    });
  });
});

/** Runs middlewares as Connect does. */
function chain(...stages: KiketMiddleware[]): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => {
    const run = (at: number): void => {
      stages[at]?.(req, res, (error?: unknown) => {
        if (error === undefined) run(at + 1);
        else kiketErrorHandler()(error, req, res, () => undefined);
      });
    };
    run(0);
  };
}

describe('a delivery over HTTP/2', () => {
  async function overHttp2(
    listener: (req: IncomingMessage, res: ServerResponse) => void,
    use: (session: ClientHttp2Session) => Promise<void>,
  ): Promise<void> {
    const server = createHttp2Server(listener as never).listen(0, '127.0.0.1');
    await event(server, 'listening');
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    try {
      // Node warns of features that HTTP/2 lacks, such as a status message.
      expect(await warningsOf(() => use(session))).toEqual([]);
    } finally {
      session.close();
      server.close();
    }
  }

  async function send(session: ClientHttp2Session, options: { withLength?: boolean } = {}): Promise<[number, unknown]> {
    const { headers, body } = signDelivery(example, { secret });
    const length = options.withLength === true ? { 'content-length': Buffer.byteLength(body) } : {};
    const stream = session.request({ ':method': 'POST', ':path': '/kiket', ...headers, ...length });
    stream.end(body);
    const [head] = (await event(stream, 'response')) as [{ ':status': number }];
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    return [head[':status'], JSON.parse(text)];
  }

  it.each([true, false])('should be responded to and recorded once (Content-Length: %s)', async (withLength) => {
    const before = timers();
    const records = await published<KiketRecord>('kiket:delivery', () =>
      overHttp2(
        chain(
          kiket({ secret }),
          kiketHandler(({ event: name }) => ({ name })),
        ),
        async (session) => {
          expect(await send(session, { withLength })).toEqual([200, { name: 'workflow.sla_status' }]);
        },
      ),
    );
    expect(records).toMatchObject([{ outcome: 'success', status: 200 }]);
    await until(() => timers() <= before);
  });

  it('should receive the error as JSON', async () => {
    await overHttp2(chain(kiketVerify('another secret')), async (session) => {
      expect(await send(session, { withLength: true })).toMatchObject([401, { error: { code: 'signature.mismatch' } }]);
    });
  });

  it('should run once, and have its response replayed from the store, with kiketIdempotency', async () => {
    const store = new WatchedStore();
    let runs = 0;
    const listener = chain(
      kiket({ secret }),
      kiketIdempotency(store),
      kiketHandler(() => ({ run: ++runs })),
    );
    await overHttp2(listener, async (session) => {
      const { headers, body } = signDelivery(example, { secret });
      for (let i = 0; i < 2; i++) {
        const stream = session.request({ ':method': 'POST', ':path': '/', ...headers, 'content-length': body.length });
        stream.end(body);
        let text = '';
        for await (const chunk of stream) text += String(chunk);
        expect(text).toBe('{"run":1}');
      }
    });
    expect(store.methods.slice(0, 2)).toEqual(['claim', 'complete']);
  });

  it('should end with one record and one abort, when its stream is reset', async () => {
    let aborts = 0;
    let hasBegun = false;
    const handler = kiketHandler(({ signal }) => {
      hasBegun = true;
      signal.addEventListener('abort', () => aborts++);
      return new Promise<object>(() => undefined);
    });
    const before = timers();
    const records = await published<KiketRecord>('kiket:delivery', () =>
      overHttp2(chain(kiket({ secret }), handler), async (session) => {
        const { headers, body } = signDelivery(example, { secret });
        const stream = session.request({ ':method': 'POST', ':path': '/', ...headers, 'content-length': body.length });
        stream.on('error', () => undefined).end(body);
        await until(() => hasBegun);
        stream.destroy();
        await until(() => aborts > 0);
        await turns();
      }),
    );
    expect(records).toMatchObject([{ outcome: 'retryable', status: 0 }]);
    await until(() => timers() <= before);
    expect(aborts).toBe(1);
  });

  it('should respond with 503 at the deadline', async () => {
    const handler = kiketHandler(() => new Promise<object>(() => undefined));
    await overHttp2(chain(kiket({ secret, deadlineMs: 50 }), handler), async (session) => {
      expect(await send(session, { withLength: true })).toMatchObject([503, { error: { code: 'deadline.exceeded' } }]);
    });
  });
});

describe('a delivery without a connection', () => {
  const { headers, body } = signDelivery(example, { secret });

  function requestOf(): IncomingMessage {
    const req = new IncomingMessage(new Socket());
    Object.assign(req, { method: 'POST', url: '/kiket', rawBody: body, complete: true });
    for (const [name, value] of Object.entries(headers)) req.headers[name.toLowerCase()] = value;
    req.headers['content-length'] = String(Buffer.byteLength(body));
    req.push(null);
    return req;
  }

  const onCompleted = jest.fn();
  beforeEach(() => onCompleted.mockClear());
  const listener = chain(
    kiket({ secret, onCompleted }),
    kiketHandler(() => ({ ok: true })),
  );

  it('should be recorded once, with a response that never gets a socket', async () => {
    const before = timers();
    const req = requestOf();
    const res = new ServerResponse(req);
    listener(req, res);
    await until(() => res.writableEnded);
    // An adapter reads the written bytes, and emits this event itself.
    res.emit('finish');
    await turns();
    expect(onCompleted.mock.calls).toMatchObject([[{ outcome: 'success', status: 200 }]]);
    await until(() => timers() <= before);
  });

  it('should be recorded once, behind serverless-http', async () => {
    const handle = serverless(
      endpoint(majors['Express 5'], [kiket({ secret, onCompleted }), kiketHandler(() => ({ ok: true }))]),
    );
    const response = await handle({ httpMethod: 'POST', path: '/kiket', headers, body: String(body) }, {});
    expect(response).toMatchObject({ statusCode: 200, body: '{"ok":true}' });
    expect(onCompleted.mock.calls).toMatchObject([[{ outcome: 'success', status: 200 }]]);
  });

  it('should be recorded once, with a mock that emits nothing', async () => {
    const before = timers();
    const sent: string[] = [];
    const res = {
      statusCode: 200,
      headersSent: false,
      writableEnded: false,
      on: () => res,
      once: () => res,
      getHeaders: () => ({}),
      hasHeader: () => false,
      setHeader: () => res,
      removeHeader: () => undefined,
      end(text: string) {
        sent.push(text);
        Object.assign(res, { headersSent: true, writableEnded: true });
        return res;
      },
    };
    listener(requestOf(), res as unknown as ServerResponse);
    await until(() => sent.length > 0);
    expect(sent).toEqual(['{"ok":true}']);
    expect(onCompleted.mock.calls).toMatchObject([[{ outcome: 'success', status: 200 }]]);
    await until(() => timers() <= before);
  });
});

describe('a request after its response', () => {
  const { head, body } = signedRequest(JSON.stringify(example));
  const kinds: Record<string, KiketMiddleware[]> = {
    'a response': [kiket({ secret }), kiketHandler(() => ({}))],
    'a refusal': [kiket({ secret: 'another' })],
  };

  it.each(Object.entries(kinds))(
    'should show its own socket to listeners of finish and close after %s',
    async (_name, stages) => {
      const seen: boolean[] = [];
      const listener: RequestListener = (req, res) => {
        const { socket } = req;
        const look = (): number => seen.push(req.socket === socket);
        res.on('finish', look).on('close', look);
        chain(...stages)(req, res);
        res.on('finish', look).on('close', look);
      };
      await Connection.to(createServer(listener), async (connection) => {
        await connection.write(head, body).response();
        await until(() => seen.length === 4);
      });
      expect(seen).toEqual([true, true, true, true]);
    },
  );

  it('should let a listener of finish destroy an upload that goes on', async () => {
    let closed = false;
    const listener: RequestListener = (req, res) => {
      res.on('finish', () => req.destroy());
      req.on('close', () => (closed = true));
      chain(kiketVerify('another'))(req, res);
    };
    await Connection.to(createServer(listener), async (connection) => {
      connection.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n', 'x'.repeat(1000));
      expect(await connection.response()).toMatchObject({ status: 401 });
      await until(() => closed);
    });
  });

  it('should leave no timer when its client leaves during the lookup of a secret', async () => {
    const before = timers();
    let arrived = 0;
    let left = 0;
    const listener: RequestListener = (req, res) => {
      res.on('close', () => left++);
      chain(kiketVerify(() => (arrived++, new Promise(() => undefined))))(req, res);
    };
    await Connection.to(createServer(listener), async (connection) => {
      connection.write(head, body);
      await until(() => arrived === 1);
      expect(timers()).toBeGreaterThan(before);
      connection.break();
      await until(() => left === 1);
      await turns();
      expect(timers()).toBeLessThanOrEqual(before + 1);
    });
    await until(() => timers() <= before);
  });
});

describe('a response after it was sent', () => {
  const kinds: Record<string, KiketMiddleware[]> = {
    'a plain handler': [kiket({ secret }), (_req, res) => void res.end('{}')],
    kiketHandler: [kiket({ secret }), kiketHandler(() => ({}))],
    'kiketHandler with a response': [kiket({ secret }), kiketHandler((_d, _q, res) => void res.json({}))],
    'kiketIdempotency and a plain handler': [
      kiket({ secret }),
      kiketIdempotency(new WatchedStore()),
      (_req, res) => void res.end('{}'),
    ],
    'a refusal': [kiketVerify('another secret')],
  };

  it.each(Object.entries(kinds))('should still read as it was sent by %s', async (name, stages) => {
    const seen: unknown[] = [];
    let closed = false;
    const listener: RequestListener = (req, res) => {
      const look = (): void => {
        const { headersSent, writableEnded, statusCode } = res;
        seen.push([headersSent, writableEnded, statusCode, res.getHeader('Content-Type') !== undefined]);
      };
      res.on('finish', look).on('close', () => (look(), setImmediate(() => (look(), (closed = true)))));
      Object.assign(res, { json: (value: object) => res.end(JSON.stringify(value)) });
      chain(...stages)(req, res);
    };
    const { head, body } = signedRequest(JSON.stringify(example));
    await Connection.to(createServer(listener), async (connection) => {
      await connection.write(head, body).response();
      await until(() => closed);
    });
    const status = name === 'a refusal' ? 401 : 200;
    const hasType = name === 'a refusal' || name === 'kiketHandler';
    expect(seen).toEqual(Array.from({ length: 3 }, () => [true, true, status, hasType]));
  });
});
