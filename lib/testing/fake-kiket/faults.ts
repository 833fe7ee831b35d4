import { validateHeaderName, validateHeaderValue } from 'node:http';
import { describe, MAX_DELAY_MS, requireNumber, requireRecord, requireWhole } from '../../options';

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
        /** Seconds, or a string such as an HTTP date, for `Retry-After`. Default: no such header. */
        readonly retryAfter?: number | string | undefined;
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

interface ActiveFault {
  readonly fault: FakeKiketFault;
  timesLeft: number;
}

/** The faults that are switched on. */
export class ActiveFaults {
  readonly #active: ActiveFault[] = [];

  /** Returns a function that switches the fault off. */
  switchOn(fault: FakeKiketFault): () => void {
    assertFault(fault);
    const active = { fault: { ...fault }, timesLeft: fault.times ?? Infinity };
    this.#active.push(active);
    return () => this.#remove(active);
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

  #remove(active: ActiveFault): void {
    const index = this.#active.indexOf(active);
    if (index !== -1) this.#active.splice(index, 1);
  }
}

const CHECKS: { readonly [K in FaultKind]: (fault: FaultOf<K>) => void } = {
  latency: ({ ms }) => requireNumber(WHO, 'ms', ms, 0, MAX_DELAY_MS),
  'rate-limit': ({ retryAfter }) => {
    if (retryAfter === undefined) return;
    if (typeof retryAfter === 'string') assertHeader('Retry-After', retryAfter);
    else requireNumber(WHO, 'retryAfter', retryAfter, 0, Number.MAX_SAFE_INTEGER);
  },
  status: ({ status, body, headers = {}, contentType = 'text/html' }) => {
    requireWhole(WHO, 'status', status, 200, 599);
    requireRecord(WHO, 'headers', headers);
    for (const [name, value] of Object.entries({ ...headers, 'Content-Type': contentType })) assertHeader(name, value);
    assertJson(body);
  },
  hang: () => undefined,
};

/** @throws {TypeError} for an invalid fault. */
function assertFault(fault: FakeKiketFault): void {
  requireRecord(WHO, 'fault', fault);
  const { kind, times = 1, on = '/' } = fault;
  if (!Object.hasOwn(CHECKS, kind)) {
    throw new TypeError(`${WHO}: kind is ${describe(kind)}; give one of ${Object.keys(CHECKS).join(', ')}`);
  }
  requireWhole(WHO, 'times', times, 1, Number.MAX_SAFE_INTEGER);
  if (typeof on !== 'string' || !/^(?:[A-Z]+ )?\/[^\s?]*$/.test(on)) {
    throw new TypeError(`${WHO}: on is ${describe(on)}; give a path without query, or 'GET /path'`);
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
  throw new TypeError(`${WHO}: the header '${name}' is ${describe(value)}; give a name and a string that HTTP allows`);
}

function assertJson(body: unknown): void {
  try {
    if (body === undefined || JSON.stringify(body) !== undefined) return;
  } catch {
    // As above.
  }
  throw new TypeError(`${WHO}: body is ${describe(body)}; give a value that JSON can hold, or a string`);
}
