import { isUtf8 } from 'node:buffer';
import type { Capture } from './capture';

/** Returns a capture as one line of JSON, with its newline. A body that is not UTF-8 is written in base64. */
export function captureLine({ method, url, headers, body, receivedAt, isRedacted, response }: Capture): string {
  const line = {
    receivedAt,
    method,
    url,
    headers,
    ...bodyField(body),
    redacted: isRedacted === true ? true : undefined,
    response: response && { status: response.status, headers: response.headers, ...bodyField(response.body) },
  };
  return `${JSON.stringify(line)}\n`;
}

function bodyField(body: Buffer): { body: string } | { bodyBase64: string } {
  return isUtf8(body) ? { body: body.toString() } : { bodyBase64: body.toString('base64') };
}
