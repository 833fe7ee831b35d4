import type { ServerResponse } from 'node:http';
import { types } from 'node:util';
import { hasStatusMessage } from './prepare';

/** True when Node accepts `end(...args)` now. */
export function isWritable(res: ServerResponse, [chunk, encoding]: readonly unknown[]): boolean {
  const isChunk =
    chunk == null || typeof chunk === 'function' || typeof chunk === 'string' || types.isUint8Array(chunk);
  const isEncoding = typeof chunk !== 'string' || typeof encoding !== 'string' || Buffer.isEncoding(encoding);
  return isChunk && isEncoding && !res.writableEnded && (res.headersSent || isHeadWritable(res));
}

/** Invalid in the message of a status (RFC 9112, section 4). */
const INVALID = /[^\t\x20-\x7e\x80-\xff]/;

function isHeadWritable(res: ServerResponse): boolean {
  const status = Number(res.statusCode);
  const isMessage = !hasStatusMessage(res) || !INVALID.test(String((res.statusMessage as string | undefined) ?? ''));
  return status >= 100 && status <= 999 && isMessage && !res.hasHeader('Trailer');
}
