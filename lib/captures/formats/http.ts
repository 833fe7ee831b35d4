import { headerOf, type HeaderLine } from '../../sending/http-message';
import type { CapturedResponse } from '../capture';
import { FormatError, type CaptureFormat } from './format';

/** One request as it is on the wire, with CR LF or LF at the ends of lines. */
export const RAW_HTTP: CaptureFormat = {
  name: 'http',
  title: 'a raw HTTP request',
  read(bytes) {
    const { match, headers, body } = readMessage(bytes, REQUEST_LINE, 'a request, such as POST /kiket HTTP/1.1');
    const [, method, url] = match;
    return [{ method: method!, url: url!, headers, body }];
  },
};

/** Reads a raw response. @throws {FormatError} when it is not one. */
export function readRawResponse(bytes: Buffer): CapturedResponse {
  const { match, headers, body } = readMessage(bytes, STATUS_LINE, 'a response, such as HTTP/1.1 200 OK');
  return { status: Number(match[1]), headers, body };
}

const REQUEST_LINE = /^([A-Z]+) (\S+) HTTP\/\d(?:\.\d)?$/;
const STATUS_LINE = /^HTTP\/\d(?:\.\d)? (\d{3})(?: |$)/;

interface Message {
  /** Of the first line. */
  readonly match: RegExpExecArray;
  readonly headers: readonly HeaderLine[];
  readonly body: Buffer;
}

const BOM = Buffer.from('\uFEFF');

/** @throws {FormatError} when the first line is not that of `what`, or a line is not a header. */
function readMessage(given: Buffer, pattern: RegExp, what: string): Message {
  // Of the file, not of the body.
  const bytes = given.subarray(0, 3).equals(BOM) ? given.subarray(3) : given;
  // One byte, one character: so are headers read by Node, and positions are those of the bytes.
  const text = bytes.toString('latin1');
  const start = /^\s*/.exec(text)![0].length;
  const end = /\r?\n\r?\n/.exec(text.slice(start));
  const headEnd = end === null ? text.length : start + end.index;
  const bodyStart = end === null ? text.length : headEnd + end[0].length;
  const [firstLine = '', ...lines] = text.slice(start, headEnd).trimEnd().split(/\r?\n/);
  const match = pattern.exec(firstLine);
  if (match === null) throw new FormatError(`the first line is not that of ${what}`);
  const headers = lines.map(headerIn);
  return { match, headers, body: bodyOf(headers, bytes.subarray(bodyStart)) };
}

function headerIn(line: string, i: number): HeaderLine {
  const [, name, value] = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
  if (name === undefined) throw new FormatError(`line ${i + 2} is not a header`);
  return [name, value!];
}

/** Without the newline that an editor adds at the end of a file, and without the sizes of chunks. */
function bodyOf(headers: readonly HeaderLine[], rest: Buffer): Buffer {
  if (/\bchunked$/i.test(headerOf(headers, 'Transfer-Encoding') ?? '')) return unchunked(rest) ?? rest;
  const length = Number(headerOf(headers, 'Content-Length'));
  if (length < rest.length && /^[\r\n]+$/.test(rest.toString('latin1', length))) return rest.subarray(0, length);
  return rest;
}

/** Returns the content of chunks; `undefined` for a body whose chunks were joined already. */
function unchunked(bytes: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const head = /^([\da-f]{1,8})(?:;[^\r\n]*)?\r?\n/i.exec(bytes.toString('latin1', at, at + 200));
    if (head === null) return undefined;
    const start = at + head[0].length;
    const size = Number.parseInt(head[1]!, 16);
    if (size === 0) return Buffer.concat(chunks);
    if (start + size > bytes.length) return undefined;
    chunks.push(bytes.subarray(start, start + size));
    at = start + size + (bytes[start + size] === 0x0d ? 2 : 1);
  }
}
