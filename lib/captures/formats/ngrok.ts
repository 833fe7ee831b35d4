import { isObject } from '../../guards';
import type { Capture } from '../capture';
import { arrayAt, FormatError, jsonOf, objectAt, stringIn, textOf, type CaptureFormat } from './format';
import { RAW_HTTP, readRawResponse } from './http';

/** The response of ngrok's inspector to `/api/requests/http`, or to the same path with an id. */
export const NGROK: CaptureFormat = {
  name: 'ngrok',
  title: "requests of ngrok's /api/requests/http",
  read(bytes) {
    const document = objectAt(jsonOf(textOf(bytes), 'it'), 'it');
    const isOne = isObject(document['request']);
    if (!isOne && document['requests'] === undefined) throw new FormatError('it has no "requests"');
    const requests = isOne ? [document] : arrayAt(document['requests'], '"requests"');
    // ngrok lists the newest first.
    return requests.map(captureIn).reverse();
  },
};

function captureIn(entry: unknown, i: number): Capture {
  const where = `request ${i + 1}`;
  const { request, response, start } = objectAt(entry, where);
  const [capture] = RAW_HTTP.read(rawOf(objectAt(request, `${where}: request`), where));
  return {
    ...capture!,
    ...(typeof start === 'string' && { receivedAt: start }),
    ...(isObject(response) &&
      typeof response['raw'] === 'string' && { response: readRawResponse(rawOf(response, where)) }),
  };
}

function rawOf(message: Readonly<Record<string, unknown>>, where: string): Buffer {
  return Buffer.from(stringIn(message, 'raw', where), 'base64');
}
