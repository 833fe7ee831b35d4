import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Answer } from './answer';
import { rateHeaders, type RateWindow } from './rate-limit';
import type { LoggedRequest } from './request-log';

/** HTTP gives these no body. */
const BODILESS = new Set([204, 304]);

/** Writes answers, each with the headers that every answer carries, and notes the status in the log. */
export class Outgoing {
  readonly res: ServerResponse;
  readonly #entry: LoggedRequest;
  readonly #window: RateWindow;

  constructor(res: ServerResponse, entry: LoggedRequest, window: RateWindow) {
    this.res = res;
    this.#entry = entry;
    this.#window = window;
  }

  send({ status, headers, text }: Answer): void {
    const body = text === undefined || BODILESS.has(status) ? undefined : text;
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    this.sendHead(status, { ...length, ...headers });
    this.res.end(body);
  }

  sendHead(status: number, headers: Readonly<Record<string, string>>): void {
    const { res } = this;
    // One by one: a name in another case then replaces the header of every answer.
    const all = { 'X-Request-Id': randomUUID(), ...rateHeaders(this.#window) };
    for (const [name, value] of [...Object.entries(all), ...Object.entries(headers)]) res.setHeader(name, value);
    this.#entry.status = status;
    res.writeHead(status);
  }

  /** The socket goes without a goodbye. */
  reset(): void {
    this.res.socket?.resetAndDestroy();
  }
}
