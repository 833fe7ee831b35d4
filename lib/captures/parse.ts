import type { Capture } from './capture';
import { CURL } from './formats/curl';
import { FormatError, type CaptureFormat } from './formats/format';
import { HAR } from './formats/har';
import { RAW_HTTP } from './formats/http';
import { JSON_LINES } from './formats/json-lines';
import { NGROK } from './formats/ngrok';

/** All formats, in the order in which they are tried. At most one of them fits. */
export const CAPTURE_FORMATS: readonly CaptureFormat[] = [JSON_LINES, RAW_HTTP, HAR, NGROK, CURL];

/** The name of a format. */
export type CaptureFormatName = CaptureFormat['name'];

/** The bytes are not in any format that was tried. */
export class CaptureError extends Error {
  /** The formats, and why each does not fit. */
  readonly tried: readonly { readonly format: CaptureFormatName; readonly reason: string }[];

  constructor(tried: readonly { readonly format: CaptureFormat; readonly reason: string }[]) {
    super(tried.map(({ format, reason }) => `it is not ${format.title}: ${reason}`).join('\n'));
    this.tried = tried.map(({ format, reason }) => ({ format: format.name, reason }));
  }
}

/**
 * Reads recorded requests, the oldest first.
 *
 * @param format the format; by default it is recognised by the content.
 * @throws {CaptureError} when the bytes are not in the format, or in any.
 */
export function parseCaptures(bytes: Buffer, format?: CaptureFormatName): Capture[] {
  const tried: { format: CaptureFormat; reason: string }[] = [];
  for (const each of CAPTURE_FORMATS.filter(({ name }) => format === undefined || name === format)) {
    try {
      return each.read(bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      tried.push({ format: each, reason: error.message });
    }
  }
  throw new CaptureError(tried);
}
