import { validateHeaderName, validateHeaderValue } from 'node:http';
import { describe, MAX_DELAY_MS, requireBoolean, requireNumber, requireRecord, requireWhole } from '../../options';

const WHO = 'fail';

/** Which requests a fault hits. */
export interface FakeKiketFaultTarget {
  /** How many, from 1. Default: each until it is switched off. */
  readonly times?: number | undefined;
  /** A path without query, as it is written in the request, or `GET /api/v1/ext/rate_limit`. Default: all. */
  readonly on?: string | undefined;
}

/**
 * What goes wrong. But for `latency`, `half-body` and a `reset` that is `processed`, the request is not carried out; all
 * count in the rate limit. Every answer carries the usual headers.
 */
export type FakeKiketFault = FakeKiketFaultTarget &
  (
    | {
        /** The answer comes late; a request whose client has left until then is not carried out. */
        readonly kind: 'latency';
        /** Milliseconds, from 0. */
        readonly ms: number;
      }
    | {
        /** 429, as past the limit. */
        readonly kind: 'rate-limit';
        /** Seconds, or a text such as an HTTP date, for `Retry-After`. Default: no such header. */
        readonly retryAfter?: number | string | undefined;
      }
    | {
        /** Any answer. */
        readonly kind: 'status';
        /** From 200 to 599. */
        readonly status: number;
        /** A text is sent as it is, all else as JSON. Default: `{ error }` with the name of the status. */
        readonly body?: unknown;
        /** Default `application/json`, and `text/html` for a text. */
        readonly contentType?: string | undefined;
        /** Added to the usual ones, or in place of them. */
        readonly headers?: Readonly<Record<string, string>> | undefined;
      }
    | {
        /** The connection is reset before any answer. */
        readonly kind: 'reset';
        /** Whether the request is carried out before. Default false. */
        readonly processed?: boolean | undefined;
      }
    | {
        /** Carried out and announced in full, but the connection ends after half of the answer's body. */
        readonly kind: 'half-body';
      }
    | {
        /** 200 with a body that ends too soon, or with a page of HTML. */
        readonly kind: 'wrong-json';
        /** Default `truncated`. */
        readonly form?: 'truncated' | 'html' | undefined;
      }
    | {
        /** No answer, until the client leaves or the fake is closed. */
        readonly kind: 'hang';
      }
    | {
        /** 200 with an empty list in JSON that is filled up with white space, chunked. */
        readonly kind: 'flood';
        /** Length of the body, from 11. */
        readonly bytes: number;
      }
    | {
        /** An answer that leads elsewhere. */
        readonly kind: 'redirect';
        readonly location: string;
        /** Default 302. */
        readonly status?: 301 | 302 | 303 | 307 | 308 | undefined;
      }
  );

export type FaultKind = FakeKiketFault['kind'];
export type FaultOf<K extends FaultKind> = Extract<FakeKiketFault, { readonly kind: K }>;

const CHECKS: { readonly [K in FaultKind]: (fault: FaultOf<K>) => void } = {
  latency: ({ ms }) => requireNumber(WHO, 'ms', ms, 0, MAX_DELAY_MS),
  'rate-limit': ({ retryAfter }) => {
    if (retryAfter === undefined) return;
    if (typeof retryAfter === 'string') requireHeader('Retry-After', retryAfter);
    else requireNumber(WHO, 'retryAfter', retryAfter, 0, Number.MAX_SAFE_INTEGER);
  },
  status: ({ status, body, headers = {}, contentType = 'text/html' }) => {
    requireWhole(WHO, 'status', status, 200, 599);
    requireRecord(WHO, 'headers', headers);
    for (const [name, value] of Object.entries({ ...headers, 'Content-Type': contentType })) requireHeader(name, value);
    requireJson(body);
  },
  reset: ({ processed = false }) => requireBoolean(WHO, 'processed', processed),
  'half-body': () => undefined,
  'wrong-json': ({ form = 'truncated' }) => requireOneOf('form', form, ['truncated', 'html']),
  hang: () => undefined,
  flood: ({ bytes }) => requireWhole(WHO, 'bytes', bytes, 11, Number.MAX_SAFE_INTEGER),
  redirect: ({ location, status = 302 }) => {
    requireHeader('Location', location);
    requireOneOf('status', status, [301, 302, 303, 307, 308]);
  },
};

/** @throws {TypeError} for a fault that makes no sense. */
export function requireFault(fault: FakeKiketFault): void {
  requireRecord(WHO, 'fault', fault);
  const { kind, times = 1, on = '/' } = fault;
  requireOneOf('kind', kind, Object.keys(CHECKS));
  requireWhole(WHO, 'times', times, 1, Number.MAX_SAFE_INTEGER);
  if (typeof on !== 'string' || !/^(?:[A-Z]+ )?\/[^\s?]*$/.test(on)) {
    throw new TypeError(`${WHO}: on is ${describe(on)}; give a path without query, or 'GET /path'`);
  }
  (CHECKS[kind] as (fault: FakeKiketFault) => void)(fault);
}

function requireHeader(name: string, value: unknown): void {
  try {
    validateHeaderName(name);
    if (typeof value === 'string') return validateHeaderValue(name, value);
  } catch {
    // Falls to the error below, which says what to do.
  }
  throw new TypeError(`${WHO}: the header '${name}' is ${describe(value)}; give a name and a text that HTTP allows`);
}

function requireJson(body: unknown): void {
  try {
    if (body === undefined || JSON.stringify(body) !== undefined) return;
  } catch {
    // As above.
  }
  throw new TypeError(`${WHO}: body is ${describe(body)}; give what JSON can hold, or a text`);
}

function requireOneOf(name: string, value: unknown, known: readonly unknown[]): void {
  if (known.includes(value)) return;
  throw new TypeError(`${WHO}: ${name} is ${describe(value)}; give one of ${known.join(', ')}`);
}
