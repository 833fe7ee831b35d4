import type { IncomingHttpHeaders } from 'node:http';
import { json } from 'node:stream/consumers';
import { startServer } from './loopback-server';

export interface ThirdPartyRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** `undefined` for a GET. */
  readonly body: unknown;
}

export interface ThirdPartyResponse {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** The system that an extension connects to Kiket: a JSON API on loopback, closed after the test. */
export async function startThirdParty(
  respond: (request: ThirdPartyRequest) => ThirdPartyResponse,
): Promise<{ readonly url: string; readonly requests: readonly ThirdPartyRequest[] }> {
  const requests: ThirdPartyRequest[] = [];
  const { url } = await startServer((req, res) => {
    void (req.method === 'GET' ? Promise.resolve(undefined) : json(req)).then((body) => {
      const request = { method: req.method!, path: req.url!, headers: req.headers, body };
      requests.push(request);
      const { status = 200, headers, body: sent = {} } = respond(request);
      res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(sent));
    });
  });
  return { url, requests };
}
