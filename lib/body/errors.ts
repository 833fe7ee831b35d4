import { KiketError } from '../errors';

export function tooLargeError(limit: number): KiketError {
  return KiketError.of(
    'body.too_large',
    `The body is over the limit of ${limit} bytes. Raise \`limit\` if such deliveries are expected.`,
  );
}

export function abortedError(): KiketError {
  return KiketError.of('body.aborted', 'The connection ended before the body was complete.');
}

export function alreadyParsedError(): KiketError {
  return KiketError.of(
    'body.already_parsed',
    'A middleware before this one has read the body and kept none of its bytes, so the signature cannot be checked. ' +
      'Mount this one before every parser, those of forms too, or let the parser keep the bytes: ' +
      "express.json({ limit: '1mb', verify: captureRawBody }), with captureRawBody from kiket-express. " +
      'In an API route of Next.js, turn its parser off: export const config = { api: { bodyParser: false } }.',
  );
}

export function lengthMismatchError(expected: number, received: number): KiketError {
  return KiketError.of(
    'body.length_mismatch',
    `Content-Length announces ${expected} bytes, ${received} were left to read. Does a middleware before this one read from the request?`,
  );
}

export function unsupportedEncodingError(message: string): KiketError {
  return KiketError.of('body.encoding_unsupported', message);
}
