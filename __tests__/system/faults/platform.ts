import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { signDelivery, type SignDeliveryOptions } from 'kiket-express/testing';
import { Agent } from 'undici';
import { parseResponse } from '../../support/connection';
import { secret } from '../../support/deliver';
import { toPieces } from '../../support/raw-http';
import type { Random } from './random';

/** One signed attempt. */
export type Signed = ReturnType<typeof signDelivery>;

export interface AttemptResponse {
  /** 0 stands for a network error. */
  readonly status: number;
  readonly text: string;
  readonly replayed: boolean;
  /** Of an error. */
  readonly code: string | undefined;
}

/** Longer than any deadline here and any store call. A longer request hangs. */
const PATIENCE_MS = 30_000;

const agent = new Agent({ connections: 32, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });

afterAll(() => agent.destroy());

/** A payload with a new token, as in each attempt. */
export function payloadOf(id: string, event: string, changes: object = {}): object {
  const runtime_token = `rt_${Math.random()}`;
  return { event, issue: { id, project_id: 27 }, authentication: { runtime_token }, ...changes };
}

export function sign(payload: object, options: Partial<SignDeliveryOptions> = {}): Signed {
  return signDelivery(payload, { secret, organizationId: 12, ...options });
}

/** Sends one attempt. */
export async function send(origin: string, { headers, body }: Signed, path = '/kiket'): Promise<AttemptResponse> {
  try {
    const response = await agent.request({ origin, path, method: 'POST', headers, body });
    const text = await response.body.text();
    const replayed = response.headers['kiket-replayed'] === 'true';
    return { status: response.statusCode, text, replayed, code: codeOf(text) };
  } catch (error) {
    if (String((error as { code?: string }).code).endsWith('_TIMEOUT')) throw error;
    return { status: 0, text: String(error), replayed: false, code: undefined };
  }
}

/** Maximum milliseconds from the last sent byte until the connection is broken. */
const BREAK_MS = 20;

/**
 * Sends attempts ahead on one connection (pipelined), in pieces of random size.
 *
 * @param breaks true to break the connection at a random byte of them, or at a random moment after the last.
 * @returns the responses that came before the end of the connection, in the order of the attempts.
 * @throws {Error} when anything other than responses comes.
 */
export async function sendAhead(
  random: Random,
  origin: string,
  attempts: readonly { readonly attempt: Signed; readonly path: string }[],
  breaks: boolean,
): Promise<AttemptResponse[]> {
  const responses: AttemptResponse[] = [];
  let received = Buffer.alloc(0);
  const socket = connect(Number(new URL(origin).port), '127.0.0.1').on('error', () => {});
  socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    for (let parsed; (parsed = parseResponse(received)) !== undefined; received = received.subarray(parsed.length)) {
      const { status, text, headers } = parsed.response;
      responses.push({ status, text, replayed: headers['kiket-replayed'] === 'true', code: codeOf(text) });
    }
    if (!breaks && responses.length === attempts.length) breakLater();
  });

  const bytes = Buffer.concat(attempts.map(toBytes));
  const end = breaks ? Math.min(bytes.length, random.below(2 * bytes.length)) : bytes.length;
  for (let start = 0; start < end && !socket.destroyed;) {
    const next = Math.min(end, start + 1 + random.below(1000));
    socket.write(bytes.subarray(start, next));
    start = next;
    await wait(random.below(3));
  }
  if (breaks) breakLater();
  await closed;
  if (!breaks && received.length > 0)
    throw new Error(`Received something that is not a response: ${received.toString('latin1')}`);
  return responses;

  function breakLater(): void {
    setTimeout(() => socket.destroy(), random.below(BREAK_MS));
  }
}

function toBytes({ attempt: { headers, body }, path }: { attempt: Signed; path: string }): Buffer {
  return Buffer.concat(toPieces({ path, headers: { ...headers, Connection: undefined }, body }));
}

/** True for a response after which the platform delivers again. */
export function isRetryable({ status }: AttemptResponse): boolean {
  return status === 0 || status === 429 || status >= 500;
}

/**
 * Sends until a response is final, and returns it. The platform's delays are longer, and its attempts fewer.
 *
 * @param refused receives the earlier responses.
 */
export async function deliver(
  random: Random,
  nextOrigin: () => string,
  nextAttempt: () => Signed,
  refused: (response: AttemptResponse) => void = () => {},
): Promise<AttemptResponse> {
  while (!agent.destroyed) {
    const response = await send(nextOrigin(), nextAttempt());
    if (!isRetryable(response)) return response;
    refused(response);
    await wait(10 + random.below(40));
  }
  // The test has failed meanwhile, and does not wait for the response.
  return new Promise(() => {});
}

/** `503 store.unavailable`, or `network error`. */
export function nameOf({ status, code }: AttemptResponse): string {
  return status === 0 ? 'network error' : `${status} ${code}`;
}

function codeOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { error?: { code?: string } }).error?.code;
  } catch {
    return undefined;
  }
}
