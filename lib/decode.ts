import { isAscii, isUtf8, transcode } from 'node:buffer';

/**
 * The text of UTF-8 bytes; undefined when they are not UTF-8. A byte order mark stays.
 *
 * By way of UTF-16, because `toString()` decodes what is not pure ASCII character by character: 144 µs of CPU time a
 * delivery of 20 KB instead of 168, and 12 % less at 450 KB (Node 20).
 */
export function decodeUtf8(bytes: Buffer): string | undefined {
  if (isAscii(bytes)) return bytes.toString('latin1');
  return isUtf8(bytes) ? transcode(bytes, 'utf8', 'utf16le').toString('utf16le') : undefined;
}
