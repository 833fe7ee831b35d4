import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { Request, RequestHandler } from 'express';
import { kiketErrorHandler, kiketVerify, type KiketError } from 'kiket-express';
import { example, secret } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { close, listen } from '../../support/loopback-server';
import { signedRequest } from '../../support/signed-request';
import { until } from '../../support/until';

const CONNECTIONS = 50;

/** An asynchronous secret lets the connection end before the body is read. */
const secrets = { 'a secret': secret, 'a secret that is looked up': () => Promise.resolve(secret) };

describeMajors('a valid delivery followed by bytes that are not HTTP', (express) => {
  it.each(Object.entries(secrets))('should not reach a handler without its body, with %s', async (_name, source) => {
    const bodies: unknown[] = [];
    const codes: unknown[] = [];
    const requests: Request[] = [];
    const app = express();
    app.set('env', 'test');
    const collect: RequestHandler = (req, _res, next) => next(void requests.push(req));
    const handle: RequestHandler = (req, res) => {
      bodies.push(req.body);
      res.json({});
    };
    const onError = (error: unknown): void => void codes.push((error as KiketError).code);
    app.post('/kiket', collect, kiketVerify(source), express.json(), handle, kiketErrorHandler({ onError }));
    const server = createServer(app);
    const port = await listen(server);
    const { head, body } = signedRequest(JSON.stringify(example), {
      framing: 'chunked',
      headers: { 'Content-Type': 'application/json' },
    });
    try {
      for (let sent = 0; sent < CONNECTIONS; sent++) {
        const socket = connect(port, '127.0.0.1').on('error', () => undefined);
        socket.end(Buffer.concat([Buffer.from(head), body, Buffer.from('\0 no HTTP\r\n\r\n')]));
        await once(socket.resume(), 'close');
      }
      await until(() => requests.length === CONNECTIONS && bodies.length + codes.length === CONNECTIONS);
    } finally {
      await close(server);
    }
    expect(bodies.filter((found) => found === undefined)).toEqual([]);
    expect(new Set(codes)).toEqual(new Set(['body.aborted']));
  });
});
