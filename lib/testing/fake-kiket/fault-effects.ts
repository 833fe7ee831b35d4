import { STATUS_CODES } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { json, JSON_TYPE, text, type Answer } from './answer';
import type { FinalFault } from './fault-board';
import type { FaultKind, FaultOf } from './faults';
import type { Outgoing } from './outgoing';
import { rateLimitExceeded } from './rate-limit';

/** Where a fault strikes. */
export interface Scene {
  readonly outgoing: Outgoing;
  /** Gives the answer that would have been right. */
  readonly carryOut: () => Answer;
  readonly now: () => number;
}

const HTML_TYPE = 'text/html; charset=utf-8';
const CHUNK = Buffer.alloc(65_536, ' ');

const EFFECTS: { readonly [K in Exclude<FaultKind, 'latency'>]: (fault: FaultOf<K>, scene: Scene) => void } = {
  'rate-limit': ({ retryAfter }, { outgoing, now }) => {
    const seconds = typeof retryAfter === 'string' ? secondsUntil(retryAfter, now()) : retryAfter;
    outgoing.send(rateLimitExceeded(retryAfter === undefined ? undefined : String(retryAfter), seconds));
  },
  status: ({ status, body = { error: STATUS_CODES[status] ?? 'Failed' }, contentType, headers }, { outgoing }) => {
    if (typeof body === 'string') outgoing.send(text(status, body, contentType ?? HTML_TYPE, headers));
    else outgoing.send(text(status, JSON.stringify(body), contentType ?? JSON_TYPE, headers));
  },
  reset: ({ processed = false }, { outgoing, carryOut }) => {
    if (processed) carryOut();
    outgoing.reset();
  },
  'half-body': (_fault, { outgoing, carryOut }) => sendHalf(carryOut(), outgoing),
  'wrong-json': ({ form = 'truncated' }, { outgoing }) => {
    if (form === 'html') outgoing.send(text(200, '<!doctype html><title>Kiket</title>', HTML_TYPE));
    else outgoing.send(text(200, '{"data":[{"id":1,"na', JSON_TYPE));
  },
  hang: () => undefined,
  flood: ({ bytes }, { outgoing }) => {
    outgoing.sendHead(200, { 'Content-Type': JSON_TYPE });
    // A client that leaves is what the fault is for.
    pipeline(Readable.from(flood(bytes), { objectMode: false }), outgoing.res, () => undefined);
  },
  redirect: ({ location, status = 302 }, { outgoing }) => {
    outgoing.send(json(status, { error: 'Moved' }, { Location: location }));
  },
};

export function strike(fault: FinalFault, scene: Scene): void {
  (EFFECTS[fault.kind] as (fault: FinalFault, scene: Scene) => void)(fault, scene);
}

/** `undefined` for what is no date. */
function secondsUntil(date: string, nowMs: number): number | undefined {
  const seconds = Math.ceil((Date.parse(date) - nowMs) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

/** An answer without a body has no half: its connection ends before the head. */
function sendHalf({ status, headers, text: body = '' }: Answer, outgoing: Outgoing): void {
  const { res } = outgoing;
  const bytes = Buffer.from(body);
  if (bytes.length === 0) return outgoing.reset();
  outgoing.sendHead(status, { ...headers, 'Content-Length': String(bytes.length) });
  res.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => res.destroy());
}

function* flood(bytes: number): Generator<Buffer> {
  const [start, end] = [Buffer.from('{"data":[]'), Buffer.from('}')];
  yield start;
  for (let left = bytes - start.length - end.length; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, left);
  yield end;
}
