import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { quoted } from '../text';
import {
  headerLines,
  headerOf,
  type HeaderLine,
  type IncomingResponse,
  type OutgoingRequest,
  type Transfer,
} from './http-message';

/** The response to one request, or the reason why there is none. */
export type Attempt =
  | { readonly response: IncomingResponse; readonly durationMs: number }
  | { readonly failure: AttemptFailure; readonly durationMs: number };

/** Why there is no response. */
export interface AttemptFailure {
  /** `timeout`, `aborted`, `left` for a sender that did not wait, or a code of Node such as `ECONNREFUSED`. */
  readonly code: string;
  /** For people, in English. */
  readonly message: string;
}

/** Options of {@link send}. */
export interface SendOptions {
  /** How long to wait for the whole response, in milliseconds. Kiket waits for 10 s. */
  readonly timeoutMs: number;
  /** Aborts the request. Default none. */
  readonly signal?: AbortSignal | undefined;
  /** Opens a connection for this request alone. Default true. */
  readonly isAlone?: boolean | undefined;
}

/** In bytes. Of a longer response the rest is counted. */
const LARGEST_BODY = 10 * 1024 * 1024;

const PIECES = 20;

/**
 * Sends one request exactly as it is given, and reads the response. Redirects are not followed. A failure is a result, not an
 * exception.
 */
export async function send(request: OutgoingRequest, options: SendOptions): Promise<Attempt> {
  const startedAtMs = performance.now();
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([timeout, ...(options.signal === undefined ? [] : [options.signal])]);
  const elapsed = (): number => performance.now() - startedAtMs;
  try {
    return { response: await exchange(request, signal, options.isAlone ?? true), durationMs: elapsed() };
  } catch (error) {
    return { failure: failureOf(error, timeout, options), durationMs: elapsed() };
  }
}

async function exchange(outgoing: OutgoingRequest, signal: AbortSignal, isAlone: boolean): Promise<IncomingResponse> {
  const url = new URL(outgoing.url);
  const { method, transfer = {} } = outgoing;
  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
    method,
    // In one array, Node sends names and values as they are.
    headers: headersOf(url, outgoing).flat(),
    signal,
    ...(isAlone && { agent: false }),
  });
  const responded = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    // Errors after the response has begun are those of the response.
    request.on('error', reject);
    // Without an error, when the receiver changes to another protocol.
    request.once('close', () => reject(new Error('there is no HTTP response')));
  });
  responded.catch(() => {});
  try {
    await writeBody(request, outgoing.body, transfer, signal, responded);
    const response = await readResponse(await responded);
    // The end of the connection is also that of a body without a length, and an abortion ends the connection.
    signal.throwIfAborted();
    return response;
  } finally {
    // A receiver may respond to a part of the body, and keep the connection open.
    if (isAlone) request.destroy();
  }
}

function headersOf(url: URL, { headers, body, transfer = {} }: OutgoingRequest): HeaderLine[] {
  const added: HeaderLine[] = [
    ['Host', url.host],
    // Asked to close, many servers do so right after an early response, which is lost while the body is still sent.
    ['Connection', 'keep-alive'],
    transfer.isChunked === true
      ? ['Transfer-Encoding', 'chunked']
      : ['Content-Length', String(transfer.declaredLength ?? body.length)],
  ];
  return [...added.filter(([name]) => headerOf(headers, name) === undefined), ...headers];
}

async function writeBody(
  request: ClientRequest,
  body: Buffer,
  { isChunked, overMs, leavesEarly, stopsAfter }: Transfer,
  signal: AbortSignal,
  responded: Promise<unknown>,
): Promise<void> {
  if (stopsAfter !== undefined) {
    request.write(body.subarray(0, stopsAfter));
    return void (await responded);
  }
  if (overMs !== undefined) {
    const length = Math.max(1, Math.ceil(body.length / PIECES));
    for (let at = 0; at < body.length; at += length) {
      request.write(body.subarray(at, at + length));
      // A receiver may respond before it has the whole body.
      const isOver = await Promise.race([
        responded.then(() => true),
        wait(overMs / PIECES, false, { signal }).catch(() => true),
      ]);
      if (isOver) break;
    }
    return void request.end();
  }
  if (isChunked === true) for (const half of halvesOf(body)) request.write(half);
  else request.write(body);
  if (leavesEarly !== true) return void request.end();
  // Of a request that fails, Node never calls the function of `end`.
  await Promise.race([new Promise<void>((resolve) => request.end(resolve)), responded]);
  request.destroy();
  throw new LeftEarly();
}

function halvesOf(body: Buffer): Buffer[] {
  const middle = Math.ceil(body.length / 2);
  return [body.subarray(0, middle), body.subarray(middle)].filter((half) => half.length > 0);
}

async function readResponse(response: IncomingMessage): Promise<IncomingResponse> {
  const chunks: Buffer[] = [];
  let length = 0;
  let droppedBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (length + chunk.length > LARGEST_BODY) droppedBytes += chunk.length;
    else {
      chunks.push(chunk);
      length += chunk.length;
    }
  }
  const headers = headerLines(response.rawHeaders);
  return { status: response.statusCode!, headers, body: Buffer.concat(chunks), droppedBytes };
}

class LeftEarly extends Error {}

function failureOf(error: unknown, timeout: AbortSignal, { timeoutMs, signal }: SendOptions): AttemptFailure {
  if (error instanceof LeftEarly) return { code: 'left', message: 'the sender did not wait for the response' };
  if (signal?.aborted === true) return { code: 'aborted', message: 'the request was aborted' };
  if (timeout.aborted) return { code: 'timeout', message: `no response within ${timeoutMs} ms` };
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  return { code, message: networkMessage(error as NodeJS.ErrnoException) };
}

/** Returns what an error of a connection means, for people. */
export function networkMessage({ code = 'unknown', message }: NodeJS.ErrnoException): string {
  // Node tries several addresses of a host, and joins their errors without a message.
  // A message of Node may quote what was to be sent.
  return MESSAGES[code] ?? (message === '' ? code : quoted(message));
}

const MESSAGES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was closed before the response was complete',
  EAI_AGAIN: 'the host is unknown for now',
  ENOTFOUND: 'the host is unknown',
  EPIPE: 'the connection was closed before the request was complete',
};
