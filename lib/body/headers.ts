import type { IncomingMessage } from 'node:http';
import { unsupportedEncodingError } from './errors';
import type { KiketError } from '../errors';
import { headerText } from '../text';

/** Codings that leave the bytes as they are, and the charset names that some senders write in their place. */
const PLAIN = new Set(['', 'identity', 'none', 'utf-8', 'utf8', 'binary', '7bit', '8bit']);
const COMPRESSED = new Set(['gzip', 'deflate', 'br', 'zstd', 'compress']);

/** Returns the error of a body that is not sent as it was signed, or that a later parser would decode differently. */
export function encodingError({ headers }: IncomingMessage): KiketError | undefined {
  const coding = headers['content-encoding'] === undefined ? undefined : codingError(headers['content-encoding']);
  return coding ?? (headers['content-type'] === undefined ? undefined : charsetError(headers['content-type']));
}

function codingError(header: unknown): KiketError | undefined {
  const codings = (headerText(header) ?? '').split(',').map((coding) => coding.trim().toLowerCase());
  const other = codings.find((coding) => !PLAIN.has(coding));
  if (other === undefined) return undefined;
  const isCompressed = COMPRESSED.has(other.replace(/^x-/, ''));
  return unsupportedEncodingError(
    `${isCompressed ? 'The body is compressed' : 'Content-Encoding names an unknown encoding'}. The signature covers plain bytes: send them without Content-Encoding.`,
  );
}

const UTF_8 = /charset\s*=\s*("?)utf-?8\1\s*(?=[;,]|$)/gi;

/**
 * Content-Type is not signed, and a parser behind this package would decode the signed bytes by it. Parsers differ in how
 * they read odd parameters, so only a plain `charset=utf-8` is accepted.
 */
function charsetError(header: unknown): KiketError | undefined {
  const rest = (headerText(header) ?? '').replace(UTF_8, '');
  if (!/charset/i.test(rest)) return undefined;
  return unsupportedEncodingError(
    'Content-Type names another charset than UTF-8. Deliveries are JSON in UTF-8: send them with charset=utf-8, or without a charset.',
  );
}

/** Returns the value of Content-Length, or NaN when it is not a number. */
export function expectedLength({ headers }: IncomingMessage): number | undefined {
  const header = headers['content-length'];
  return header === undefined ? undefined : Number(header);
}

/** True when a body may follow the head. Only in HTTP/1 do the headers decide it. */
export function announcesBody({ headers, httpVersionMajor }: IncomingMessage): boolean {
  return (
    headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined || httpVersionMajor !== 1
  );
}
