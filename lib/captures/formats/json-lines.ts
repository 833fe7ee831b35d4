import type { HeaderLine } from '../../sending/http-message';
import type { Capture, CapturedResponse } from '../capture';
import { arrayAt, FormatError, isHeaderLine, jsonOf, objectAt, stringIn, textOf, type CaptureFormat } from './format';

type Json = Readonly<Record<string, unknown>>;

/** The format of this package, which `record` writes: one JSON object for each capture. */
export const JSON_LINES: CaptureFormat = {
  name: 'jsonl',
  title: 'JSON lines of kiket-express record',
  read(bytes) {
    const captures: Capture[] = [];
    for (const [i, line] of textOf(bytes).split('\n').entries()) {
      const where = `line ${i + 1}`;
      if (line.trim() !== '') captures.push(captureIn(objectAt(jsonOf(line, where), where), where));
    }
    if (captures.length === 0) throw new FormatError('it is empty');
    return captures;
  },
};

function captureIn(object: Json, where: string): Capture {
  const { receivedAt, redacted, response } = object;
  return {
    method: stringIn(object, 'method', where),
    url: stringIn(object, 'url', where),
    headers: headersIn(object, where),
    body: bodyIn(object, where),
    ...(typeof receivedAt === 'string' && { receivedAt }),
    ...(redacted === true && { isRedacted: true }),
    ...(response !== undefined && { response: responseIn(objectAt(response, `${where}: response`), where) }),
  };
}

function responseIn(object: Json, where: string): CapturedResponse {
  const { status } = object;
  if (typeof status !== 'number') throw new FormatError(`${where}: response has no number "status"`);
  return { status, headers: headersIn(object, `${where}: response`), body: bodyIn(object, `${where}: response`) };
}

function headersIn({ headers }: Json, where: string): HeaderLine[] {
  return arrayAt(headers, `${where}: headers`).map((line) => {
    if (isHeaderLine(line)) return line;
    throw new FormatError(`${where}: headers must be pairs of a name and a value`);
  });
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function bodyIn(object: Json, where: string): Buffer {
  if (object['bodyBase64'] === undefined) return Buffer.from(stringIn(object, 'body', where));
  const text = stringIn(object, 'bodyBase64', where);
  if (!BASE64.test(text)) throw new FormatError(`${where}: bodyBase64 is not base64`);
  return Buffer.from(text, 'base64');
}
