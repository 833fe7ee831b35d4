import { createServer, type IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import {
  kiket,
  kiketHandler,
  kiketParse,
  kiketRawBody,
  kiketRespond,
  kiketVerify,
  type KiketError,
  type KiketMiddleware,
  type KiketOptions,
  type KiketRecord,
} from 'kiket-express';
import { kiketRuntimeToken } from 'kiket-express/runtime-token';
import { kiketShutdown } from 'kiket-express/shutdown';
import { closingServers, closingError, serverOf } from '../../../lib/shutdown/closing-servers';
import { Connection, type ReceivedResponse } from '../../support/connection';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeNewest, majors } from '../../support/express';
import { published } from '../../support/published';
import { pathNames, pathsToHandler } from '../../support/refusals';
import { signedRequest } from '../../support/signed-request';
import { until } from '../../support/until';
import { closingService, get, hold, reply, sendLate } from './closing-service';

const valid = signedRequest(JSON.stringify(example));
const unsigned = signedRequest(JSON.stringify(example), { headers: { 'X-Kiket-Signature': undefined } });
const wronglySigned = signedRequest(JSON.stringify(example), { secret: 'another secret' });

const runtimeToken = (): KiketMiddleware =>
  kiketRuntimeToken({ issuer: 'kiket.dev', jwksUrl: 'http://127.0.0.1:9/jwks.json' });

function codeOf(response: ReceivedResponse | undefined): unknown {
  return (JSON.parse(response!.text) as { error: { code: string } }).error.code;
}

describeNewest('a delivery that comes while its server is closing', (express) => {
  it.each<[string, () => KiketMiddleware[]]>([
    ['kiket()', () => [kiket({ secret })]],
    ['kiketVerify', () => [kiketVerify(secret), kiketParse()]],
    ['kiketRawBody', () => [kiketRawBody(), kiketVerify(secret), kiketParse()]],
    ['kiketRespond, kiketVerify', () => [kiketRespond(), kiketVerify(secret), kiketParse()]],
    ['kiketRuntimeToken', () => [runtimeToken(), kiketParse()]],
  ])('should be refused by %s as retryable', async (_name, stages) => {
    const { response, ended, shutdown } = await sendLate(closingService(express, stages()), valid.head, valid.body);
    expect(response).toMatchObject({ status: 503, headers: { connection: 'close' } });
    expect(JSON.parse(response!.text)).toEqual({
      error: {
        code: 'server.closing',
        message: 'This server is shutting down. Kiket sends the delivery again.',
        retryable: true,
        details: [],
      },
    });
    expect(response!.headers).not.toHaveProperty('retry-after');
    expect(ended).toBe(true);
    expect(shutdown).toEqual({ finished: true, released: 0 });
  });

  it.each<[string, KiketMiddleware]>([
    ['kiket()', kiket({ secret })],
    ['kiketVerify', kiketVerify(secret)],
    ['kiketRawBody', kiketRawBody()],
    ['kiketRuntimeToken', runtimeToken()],
  ])('should be refused by %s before its body has come', async (_name, stage) => {
    const { response, ended } = await sendLate(closingService(express, [stage]), valid.head);
    expect([response?.status, codeOf(response), ended]).toEqual([503, 'server.closing', true]);
  });

  it('should be refused although its body is large and is not read', async () => {
    const large = signedRequest(JSON.stringify({ event: 'issue.created', context: { text: 'x'.repeat(450 * 1024) } }));
    const { response, ended } = await sendLate(closingService(express, [kiket({ secret })]), large.head, large.body);
    expect([response?.status, codeOf(response), ended]).toEqual([503, 'server.closing', true]);
  });

  it.each([
    ['signed with another secret', wronglySigned],
    ['not signed', unsigned],
  ])('should be refused before its signature is checked: %s', async (_name, { head, body }) => {
    const findSecret = jest.fn(() => secret);
    const service = closingService(express, [kiket({ secret: findSecret })]);
    expect(codeOf((await sendLate(service, head, body)).response)).toBe('server.closing');
    expect(findSecret).not.toHaveBeenCalled();
  });

  it('should be reported to onRefused, and recorded as retryable', async () => {
    const onRefused = jest.fn<void, [KiketError, IncomingMessage]>();
    const onCompleted = jest.fn<void, [KiketRecord]>();
    const service = closingService(express, [kiket({ secret, onRefused, onCompleted })]);
    const records = await published<KiketRecord>('kiket:delivery', () => sendLate(service, valid.head, valid.body));
    expect(records).toMatchObject([{ outcome: 'retryable', code: 'server.closing', status: 503 }]);
    expect(onCompleted.mock.calls).toEqual([records]);
    expect(onRefused.mock.calls.map(([{ code }, req]) => [code, req.url])).toEqual([['server.closing', '/kiket']]);
  });

  it('should be refused by the error handler of the service as well', async () => {
    const app = express();
    app.set('env', 'test');
    const held = hold();
    app.get('/held', (_req, res) => void held.wait().then(() => res.json({ held: true })));
    app.post('/kiket', kiket({ secret }), reply);
    const { response, ended } = await sendLate({ server: createServer(app), held }, valid.head, valid.body);
    expect([response?.status, response?.headers.connection, ended]).toEqual([503, 'close', true]);
  });

  it('should be refused when it is signed although no signature is required', async () => {
    const service = closingService(express, [kiket({ secret, signatureRequired: false })]);
    expect(codeOf((await sendLate(service, valid.head, valid.body)).response)).toBe('server.closing');
  });

  it.each<[string, KiketMiddleware, typeof valid]>([
    ['unsigned, which kiket() lets pass', kiket({ secret, signatureRequired: false }), unsigned],
    ['unsigned, which kiketVerify lets pass', kiketVerify(secret, { signatureRequired: false }), unsigned],
    ['wrongly signed, which kiket() reports on', kiket({ secret, reportOnly: true }), wronglySigned],
    ['wrongly signed, which kiketVerify reports on', kiketVerify(secret, { reportOnly: true }), wronglySigned],
  ])('should be passed on as usual: %s', async (_name, stage, { head, body }) => {
    const readBody: RequestHandler[] = [express.json(), (req, res) => void res.json(req.body)];
    const service = closingService(express, [stage, ...(readBody as KiketMiddleware[])]);
    const { response, ended } = await sendLate(service, head, body);
    expect([response?.status, response && (JSON.parse(response.text) as unknown)]).toEqual([200, example]);
    expect([response?.headers.connection, ended]).toEqual(['close', true]);
  });

  it('should be verified in report-only mode', async () => {
    const refusals: string[] = [];
    const options: Partial<KiketOptions> = { reportOnly: true, onRefused: ({ code }) => void refusals.push(code) };
    const { response } = await sendLate(
      closingService(express, [kiket({ secret, ...options })]),
      valid.head,
      valid.body,
    );
    expect([response?.status, response?.text, refusals]).toEqual([
      200,
      JSON.stringify({ event: example.event, verified: true }),
      [],
    ]);
  });

  it('should be received by another server of the process', async () => {
    const { server, held } = closingService(express, [kiket({ secret })]);
    await Connection.to(server, async (connection) => {
      connection.write(get('/held'));
      await until(() => held.count === 1);
      const shutdown = kiketShutdown(server);
      await deliver(endpoint(express, [kiket({ secret }), reply])).expect(200);
      held.letGo();
      await shutdown;
    });
  });
});

describeNewest('a delivery that came before its server is closing', (express) => {
  /** Sends half of a delivery, calls kiketShutdown, and sends the rest. */
  async function finish(
    stages: readonly KiketMiddleware[],
    handler?: KiketMiddleware,
  ): Promise<ReceivedResponse | undefined> {
    const { server } = closingService(express, stages, handler);
    return Connection.to(server, async (connection) => {
      const half = valid.body.length / 2;
      await connection.writeHead(valid.head);
      connection.write(valid.body.subarray(0, half));
      const shutdown = kiketShutdown(server);
      connection.write(valid.body.subarray(half));
      const response = await connection.response();
      expect(await connection.response()).toBeUndefined();
      expect(await shutdown).toEqual({ finished: true, released: 0 });
      return response;
    });
  }

  it.each(pathNames)('should be received whole: %s', async (path) => {
    expect(await finish(pathsToHandler[path]!({}))).toMatchObject({ status: 200 });
  });

  it('should be received by a second verification, too', async () => {
    expect(await finish([kiketVerify(secret), kiket({ secret })])).toMatchObject({ status: 200 });
  });

  it('should be verified by kiketRuntimeToken after kiketVerify', async () => {
    // The key server cannot be reached, so the response is an error of the token.
    const response = await finish([kiketVerify(secret), runtimeToken(), kiketParse()]);
    expect(codeOf(response)).not.toBe('server.closing');
  });

  it.each(pathNames)('should get the response of its handler: %s', async (path) => {
    const held = hold();
    const handler = kiketHandler(async () => {
      await held.wait();
      return { late: true };
    });
    const { server } = closingService(express, pathsToHandler[path]!({}), handler);
    await Connection.to(server, async (connection) => {
      connection.write(valid.head, valid.body);
      await until(() => held.count === 1);
      let isOver = false;
      const shutdown = kiketShutdown(server).finally(() => (isOver = true));
      connection.write(valid.head, valid.body);
      await until(() => closingServers.has(server));
      expect(isOver).toBe(false);
      held.letGo();
      expect(await connection.response()).toMatchObject({ status: 200, text: '{"late":true}' });
      expect(codeOf(await connection.response())).toBe('server.closing');
      expect(await connection.response()).toBeUndefined();
      expect(await shutdown).toEqual({ finished: true, released: 0 });
    });
    expect(held.count).toBe(1);
  });
});

describe('two installed copies of this package', () => {
  it('should both refuse deliveries while one of them closes the server', async () => {
    let second!: typeof import('kiket-express');
    jest.isolateModules(() => {
      // eslint-disable-next-line @typescript-eslint/no-require-imports
      second = require('kiket-express') as typeof second;
    });
    expect(second.kiketVerify).not.toBe(kiketVerify);
    const service = closingService(majors['Express 5'], [second.kiket({ secret })]);
    expect(codeOf((await sendLate(service, valid.head, valid.body)).response)).toBe('server.closing');
  });
});

describe('the server of a request', () => {
  const server = {};
  const requestOf = (socket: unknown): IncomingMessage => ({ socket }) as IncomingMessage;

  it('should be found by its connection', () => {
    expect(serverOf(requestOf({ server }))).toBe(server);
  });

  it.each([
    ['without a socket', undefined],
    ['whose socket has been taken away', null],
    ['whose socket is of no server', {}],
  ])('should not be required in a request %s while another server is closing', (_name, socket) => {
    closingServers.add(server);
    try {
      expect(closingError({ req: requestOf(socket), rawBody: undefined })).toBeUndefined();
    } finally {
      closingServers.delete(server);
    }
  });
});
