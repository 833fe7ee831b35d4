import { createServer, type Server } from 'node:http';
import type { RequestHandler } from 'express';
import { kiketErrorHandler, kiketHandler, type KiketMiddleware } from 'kiket-express';
import { kiketShutdown, type KiketShutdown } from 'kiket-express/shutdown';
import { Connection, type ReceivedResponse } from '../../support/connection';
import type { Express } from '../../support/express';
import { until } from '../../support/until';

/** Requests that are held until they are released. */
export interface Held {
  readonly count: number;
  wait(): Promise<void>;
  letGo(): void;
}

export function hold(): Held {
  let count = 0;
  let letGo!: () => void;
  const gone = new Promise<void>((resolve) => (letGo = resolve));
  return {
    get count() {
      return count;
    },
    wait() {
      count++;
      return gone;
    },
    letGo,
  };
}

export interface ClosingService {
  readonly server: Server;
  /** Holds the response to GET /held. */
  readonly held: Held;
}

export const reply = kiketHandler(({ event, verified }) => ({ event, verified }));

/** A server that receives deliveries, and has other routes. */
export function closingService(
  express: Express,
  stages: readonly KiketMiddleware[],
  handler: KiketMiddleware | RequestHandler = reply,
): ClosingService {
  const held = hold();
  const app = express();
  app.set('env', 'test');
  app.get('/held', (_req, res) => void held.wait().then(() => res.json({ held: true })));
  app.get('/other', (_req, res) => void res.json({ other: true }));
  app.post('/kiket', ...stages, handler, kiketErrorHandler());
  return { server: createServer(app), held };
}

export function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
}

export interface LateResponse {
  /** The response to the request that came after the call of kiketShutdown. */
  readonly response: ReceivedResponse | undefined;
  /** True when the connection ended with the response. */
  readonly ended: boolean;
  readonly shutdown: KiketShutdown;
}

/**
 * Sends a request on a connection that is kept alive, as a response is still under way on it, after kiketShutdown was called:
 * its head, and whatever of the body is written with it.
 */
export async function sendLate({ server, held }: ClosingService, head: string, body?: Buffer): Promise<LateResponse> {
  return Connection.to(server, async (connection) => {
    connection.write(get('/held'));
    await until(() => held.count === 1);
    const shutdown = kiketShutdown(server);
    await connection.writeHead(head);
    if (body !== undefined) connection.write(body);
    held.letGo();
    expect(await connection.response()).toMatchObject({ status: 200, text: '{"held":true}' });
    const response = await connection.response();
    const ended = (await connection.response()) === undefined;
    return { response, ended, shutdown: await shutdown };
  });
}
