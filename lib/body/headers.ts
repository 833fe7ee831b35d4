import type { IncomingMessage } from 'node:http';
import bytes from 'bytes';
import { encodingUnsupported } from './errors';
import type { KiketError } from '../errors';
import { optionError, shown, type Option } from '../options';
import { headerText } from '../text';

/** Stricter than bytes.parse, which takes '1 megabyte' for one byte. */
const SIZE = /^\d+(\.\d+)? *(b|kb|mb|gb|tb|pb)?$/i;

/** The largest body; its value is in bytes. */
export const limitOption: Option<number | string, number> = {
  default: '1mb',
  read(value, who, name) {
    const isSize = typeof value === 'number' || (typeof value === 'string' && SIZE.test(value));
    const parsed = isSize ? bytes.parse(value) : null;
    if (parsed !== null && parsed >= 0) return parsed;
    throw optionError(who, name, 'a number of bytes or a string such as "1mb"', `is ${shown(value)}`);
  },
};

/** Codings that leave the bytes as they are, and what some senders write for them. */
const PLAIN = new Set(['', 'identity', 'none', 'utf-8', 'utf8', 'binary', '7bit', '8bit']);
const COMPRESSED = new Set(['gzip', 'deflate', 'br', 'zstd', 'compress']);

/** Refuses a body whose bytes are not what is signed, or that another parser would decode as another text. */
export function refuseEncoding({ headers }: IncomingMessage): KiketError | undefined {
  const coding = headers['content-encoding'] === undefined ? undefined : refuseCoding(headers['content-encoding']);
  return coding ?? (headers['content-type'] === undefined ? undefined : refuseCharset(headers['content-type']));
}

function refuseCoding(header: unknown): KiketError | undefined {
  const codings = (headerText(header) ?? '').split(',').map((coding) => coding.trim().toLowerCase());
  const other = codings.find((coding) => !PLAIN.has(coding));
  if (other === undefined) return undefined;
  const isCompressed = COMPRESSED.has(other.replace(/^x-/, ''));
  return encodingUnsupported(
    `${isCompressed ? 'The body is compressed' : 'Content-Encoding names an unknown encoding'}. The signature covers plain bytes: send them without Content-Encoding.`,
  );
}

const UTF_8 = /charset\s*=\s*("?)utf-?8\1\s*(?=[;,]|$)/gi;

/**
 * Content-Type is not signed, and a parser behind this package would decode the signed bytes by it. Parsers differ in how
 * they read odd parameters, so whatever names a charset must name UTF-8 plainly.
 */
function refuseCharset(header: unknown): KiketError | undefined {
  const rest = (headerText(header) ?? '').replace(UTF_8, '');
  if (!/charset/i.test(rest)) return undefined;
  return encodingUnsupported(
    'Content-Type names another charset than UTF-8. Deliveries are JSON in UTF-8: send them with charset=utf-8, or without a charset.',
  );
}

/** The length that Content-Length announces: NaN where it is no number. */
export function expectedLength({ headers }: IncomingMessage): number | undefined {
  const header = headers['content-length'];
  return header === undefined ? undefined : Number(header);
}

/** Whether a body may follow the head. Only in HTTP/1 do the headers decide it. */
export function announcesBody({ headers, httpVersionMajor }: IncomingMessage): boolean {
  return (
    headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined || httpVersionMajor !== 1
  );
}
