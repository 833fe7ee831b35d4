import { isObject } from '../../guards';
import type { HeaderLine } from '../../sending/http-message';
import type { Capture, CapturedResponse } from '../capture';
import { arrayAt, FormatError, jsonOf, objectAt, stringIn, textOf, type CaptureFormat } from './format';

type Json = Readonly<Record<string, unknown>>;

/** An HTTP archive of version 1.2, as browsers and proxies save it. It has bodies as text: bytes that are not UTF-8 are lost. */
export const HAR: CaptureFormat = {
  name: 'har',
  title: 'an HTTP archive (HAR)',
  read(bytes) {
    const { log } = objectAt(jsonOf(textOf(bytes), 'it'), 'it');
    if (!isObject(log)) throw new FormatError('it has no object "log"');
    return arrayAt(log['entries'], '"log.entries"').map(captureIn);
  },
};

function captureIn(entry: unknown, i: number): Capture {
  const where = `entry ${i + 1}`;
  const { request, response, startedDateTime } = objectAt(entry, where);
  const sent = objectAt(request, `${where}: request`);
  return {
    method: stringIn(sent, 'method', where),
    url: stringIn(sent, 'url', where),
    headers: headersIn(sent, where),
    body: contentOf(sent['postData']),
    ...(typeof startedDateTime === 'string' && { receivedAt: startedDateTime }),
    ...responseIn(response, where),
  };
}

/** Browsers write the status 0 when there was no response. */
function responseIn(response: unknown, where: string): { response?: CapturedResponse } {
  if (!isObject(response) || typeof response['status'] !== 'number' || response['status'] === 0) return {};
  const { status, content } = response;
  return { response: { status, headers: headersIn(response, `${where}: response`), body: contentOf(content) } };
}

/** Without the pseudo-headers of HTTP/2. */
function headersIn({ headers }: Json, where: string): HeaderLine[] {
  return arrayAt(headers, `${where}: headers`)
    .map((line): HeaderLine => {
      const header = objectAt(line, `${where}: a header`);
      return [stringIn(header, 'name', where), stringIn(header, 'value', where)];
    })
    .filter(([name]) => !name.startsWith(':'));
}

function contentOf(content: unknown): Buffer {
  if (!isObject(content) || typeof content['text'] !== 'string') return Buffer.alloc(0);
  return Buffer.from(content['text'], content['encoding'] === 'base64' ? 'base64' : 'utf8');
}
