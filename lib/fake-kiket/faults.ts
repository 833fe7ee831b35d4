import { validateHeaderName, validateHeaderValue } from 'node:http';
import { describe, integer, MAX_DELAY_MS, number, optionError, requireObject, shown } from '../options';
import type { KiketId } from '../guards';

const WHO = 'fail';

/** Which requests a fault hits. */
export interface FakeKiketFaultTarget {
  /** How many, from 1. Default: each until it is switched off. */
  readonly times?: number | undefined;
  /** A path without query, as it is written in the request, or `GET /api/v1/ext/rate_limit`. Default: all. */
  readonly on?: string | undefined;
}

/**
 * A failure to switch on with `fail()`. The request counts in the rate limit, but is not carried out, except after `latency`. Every response has
 * the usual headers.
 */
export type FakeKiketFault = FakeKiketFaultTarget &
  (
    | {
        /** The response comes late. A request whose client has left by then is not carried out. */
        readonly kind: 'latency';
        /** Milliseconds, from 0. */
        readonly ms: number;
      }
    | {
        /** 429, as beyond the limit. */
        readonly kind: 'rate-limit';
        /** Seconds, or a string such as an HTTP date, for `Retry-After`. Default none. */
        readonly retryAfter?: KiketId | undefined;
      }
    | {
        /** A response of your own: an error, a redirect, JSON that is cut. */
        readonly kind: 'status';
        /** From 200 to 599. */
        readonly status: number;
        /** A string is sent as it is, any other value as JSON. Default: `{ error }` with the name of the status. */
        readonly body?: unknown;
        /** Default `application/json`, and `text/html` for a string. */
        readonly contentType?: string | undefined;
        /** Sent beside the usual headers, or in place of them. */
        readonly headers?: Readonly<Record<string, string>> | undefined;
      }
    | {
        /** No response, until the client leaves or the fake is closed. */
        readonly kind: 'hang';
      }
  );

type FaultKind = FakeKiketFault['kind'];
type FaultOf<K extends FaultKind> = Extract<FakeKiketFault, { readonly kind: K }>;

/** A fault that takes the place of the request's own response. */
export type FinalFault = Exclude<FakeKiketFault, FaultOf<'latency'>>;

/** A fault that is switched on. */
export interface ActiveFault {
  readonly fault: FakeKiketFault;
  /** `Infinity` for one that hits until it is switched off; 0 afterwards. */
  readonly timesLeft: number;
  readonly switchOff: () => void;
}

type Active = { -readonly [K in keyof ActiveFault]: ActiveFault[K] };

/** The faults that are switched on. */
export class ActiveFaults {
  readonly #active: Active[] = [];

  /** @throws {TypeError} for an invalid fault. */
  switchOn(fault: FakeKiketFault): ActiveFault {
    assertFault(fault);
    const active: Active = {
      fault: { ...fault },
      timesLeft: fault.times ?? Infinity,
      switchOff: () => this.#remove(active),
    };
    this.#active.push(active);
    return active;
  }

  /** Counts the request as hit. Latencies add up; of the other faults, the one that was switched on first hits. */
  hit(method: string, path: string): { readonly latencyMs: number; readonly fault: FinalFault | undefined } {
    let latencyMs = 0;
    let final: FinalFault | undefined;
    for (const active of [...this.#active]) {
      const { fault } = active;
      const isTarget = fault.on === undefined || fault.on === path || fault.on === `${method} ${path}`;
      if (!isTarget || (fault.kind !== 'latency' && final !== undefined)) continue;
      if (fault.kind === 'latency') latencyMs += fault.ms;
      else final = fault;
      if (--active.timesLeft === 0) this.#remove(active);
    }
    return { latencyMs, fault: final };
  }

  #remove(active: Active): void {
    active.timesLeft = 0;
    const index = this.#active.indexOf(active);
    if (index !== -1) this.#active.splice(index, 1);
  }
}

const CHECKS: { readonly [K in FaultKind]: (fault: FaultOf<K>) => void } = {
  latency: ({ ms }) => number({ min: 0, max: MAX_DELAY_MS }).read(ms, WHO, 'ms'),
  'rate-limit': ({ retryAfter }) => {
    if (retryAfter === undefined) return;
    if (typeof retryAfter === 'string') assertHeader('Retry-After', retryAfter);
    else number({ min: 0, max: Number.MAX_SAFE_INTEGER }).read(retryAfter, WHO, 'retryAfter');
  },
  status: ({ status, body, headers = {}, contentType = 'text/html' }) => {
    integer({ min: 200, max: 599 }).read(status, WHO, 'status');
    requireObject(WHO, 'headers', headers);
    for (const [name, value] of Object.entries({ ...headers, 'Content-Type': contentType })) assertHeader(name, value);
    assertJson(body);
  },
  hang: () => undefined,
};

/** @throws {TypeError} for an invalid fault. */
function assertFault(fault: FakeKiketFault): void {
  requireObject(WHO, 'fault', fault);
  const { kind, times = 1, on = '/' } = fault;
  if (!Object.hasOwn(CHECKS, kind)) {
    throw optionError(WHO, 'kind', `one of ${Object.keys(CHECKS).join(', ')}`, `is ${shown(kind)}`);
  }
  integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).read(times, WHO, 'times');
  if (typeof on !== 'string' || !/^(?:[A-Z]+ )?\/[^\s?]*$/.test(on)) {
    throw optionError(WHO, 'on', 'a path without query, or "GET /path"', `is ${shown(on)}`);
  }
  (CHECKS[kind] as (fault: FakeKiketFault) => void)(fault);
}

function assertHeader(name: string, value: unknown): void {
  try {
    validateHeaderName(name);
    if (typeof value === 'string') return validateHeaderValue(name, value);
  } catch {
    // The error below says what to write instead.
  }
  throw optionError(WHO, `header "${name}"`, 'a name and a string that HTTP allows', `is ${describe(value)}`);
}

function assertJson(body: unknown): void {
  try {
    if (body === undefined || JSON.stringify(body) !== undefined) return;
  } catch {
    // As above.
  }
  throw optionError(WHO, 'body', 'a value that JSON can represent', `is ${describe(body)}`);
}
