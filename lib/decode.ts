import { isAscii, isUtf8, transcode } from 'node:buffer';

const LONG = 2 ** 17;

/** The text of UTF-8 bytes; undefined when they are not UTF-8. A byte order mark stays. */
export function decodeUtf8(bytes: Buffer): string | undefined {
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (!isUtf8(bytes)) return undefined;
  return bytes.length < LONG ? bytes.toString() : transcode(bytes, 'utf8', 'utf16le').toString('utf16le');
}
