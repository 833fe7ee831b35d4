import { signDelivery, type SignDeliveryOptions } from 'kiket-express/testing';
import { secret } from './deliver';

export type Framing = 'length' | 'chunked';

export interface SignedRequestOptions extends Partial<SignDeliveryOptions> {
  /** Default '/kiket'. */
  path?: string;
  /** The framing of the body. Default 'length'. */
  framing?: Framing;
  /** Added to the signed headers, or in place of them; `undefined` removes one. */
  headers?: Record<string, string | undefined>;
}

/** The bytes of a signed request, as they go over a `Connection`. */
export interface SignedRequest {
  readonly head: string;
  readonly body: Buffer;
}

export function signedRequest(payload: string | Buffer, options: SignedRequestOptions = {}): SignedRequest {
  const { path = '/kiket', framing = 'length', headers, ...signing } = options;
  const body = Buffer.from(payload);
  const all = {
    Host: 'localhost',
    ...(framing === 'length' ? { 'Content-Length': String(body.length) } : { 'Transfer-Encoding': 'chunked' }),
    ...signDelivery(body, { secret, ...signing }).headers,
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  const head = [`POST ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n');
  return { head, body: framing === 'length' ? body : toChunks(body) };
}

/** In uneven parts, so that characters of several bytes are cut. */
function toChunks(body: Buffer): Buffer {
  const size = Math.max(7, Math.ceil(body.length / 23));
  const parts: (Buffer | string)[] = [];
  for (let start = 0; start < body.length; start += size) {
    const chunk = body.subarray(start, start + size);
    parts.push(`${chunk.length.toString(16)}\r\n`, chunk, '\r\n');
  }
  return Buffer.concat([...parts, '0\r\n\r\n'].map((part) => Buffer.from(part)));
}
