import { validateHeaderName, validateHeaderValue } from 'node:http';
import { boolean, describe, integer, MAX_DELAY_MS, number, optionError, requireObject, shown } from '../../options';

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
  latency: ({ ms }) => number({ min: 0, max: MAX_DELAY_MS }).read(ms, WHO, 'ms'),
  'rate-limit': ({ retryAfter }) => {
    if (retryAfter === undefined) return;
    if (typeof retryAfter === 'string') requireHeader('Retry-After', retryAfter);
    else number({ min: 0, max: Number.MAX_SAFE_INTEGER }).read(retryAfter, WHO, 'retryAfter');
  },
  status: ({ status, body, headers = {}, contentType = 'text/html' }) => {
    integer({ min: 200, max: 599 }).read(status, WHO, 'status');
    requireObject(WHO, 'headers', headers);
    for (const [name, value] of Object.entries({ ...headers, 'Content-Type': contentType })) requireHeader(name, value);
    requireJson(body);
  },
  reset: ({ processed = false }) => boolean(false).read(processed, WHO, 'processed'),
  'half-body': () => undefined,
  'wrong-json': ({ form = 'truncated' }) => requireOneOf('form', form, ['truncated', 'html']),
  hang: () => undefined,
  flood: ({ bytes }) => integer({ min: 11, max: Number.MAX_SAFE_INTEGER }).read(bytes, WHO, 'bytes'),
  redirect: ({ location, status = 302 }) => {
    requireHeader('Location', location);
    requireOneOf('status', status, [301, 302, 303, 307, 308]);
  },
};

/** @throws {TypeError} for a fault that makes no sense. */
export function requireFault(fault: FakeKiketFault): void {
  requireObject(WHO, 'fault', fault);
  const { kind, times = 1, on = '/' } = fault;
  requireOneOf('kind', kind, Object.keys(CHECKS));
  integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).read(times, WHO, 'times');
  if (typeof on !== 'string' || !/^(?:[A-Z]+ )?\/[^\s?]*$/.test(on)) {
    throw optionError(WHO, 'on', 'a path without query, or "GET /path"', `is ${shown(on)}`);
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
  throw optionError(WHO, `header "${name}"`, 'a name and a string that HTTP allows', `is ${describe(value)}`);
}

function requireJson(body: unknown): void {
  try {
    if (body === undefined || JSON.stringify(body) !== undefined) return;
  } catch {
    // As above.
  }
  throw optionError(WHO, 'body', 'a value that JSON can represent', `is ${describe(body)}`);
}

function requireOneOf(name: string, value: unknown, known: readonly unknown[]): void {
  if (known.includes(value)) return;
  throw optionError(WHO, name, `one of ${known.join(', ')}`, `is ${shown(value)}`);
}
