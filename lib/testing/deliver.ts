import { factsOf } from '../captures/facts';
import { isObject } from '../guards';
import type { HeaderLine, OutgoingRequest } from '../sending/http-message';
import { deliverInAttempts } from '../sending/deliver';
import type { Outcome } from '../sending/outcome';
import { SCHEDULE_NAMES, SCHEDULES, type ScheduleName } from '../sending/schedule';
import {
  boolean,
  checked,
  integer,
  list,
  MAX_DELAY_MS,
  number,
  optional,
  optionError,
  readOptions,
  shown,
  string,
  type Option,
  type OptionTable,
} from '../options';

/** The body and the headers of a delivery, as signDelivery returns them. */
export interface SignedDelivery {
  /** The exact body. */
  readonly body: string | Buffer;
  /** With the signature. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Options of {@link deliver}. */
export interface DeliverTestOptions {
  /**
   * The schedule of retries: `none`; `contract`, five retries from 30 s to 8 min; `docs`, six from 30 s to 8 h; `fast`,
   * five from 0.1 s to 1.6 s; `legacy`, nine from 30 s to 2 h; `24h`, eleven within a day; or delays in milliseconds.
   * Default `none`.
   */
  retries?: ScheduleName | readonly number[] | undefined;
  /** The divisor of the delays, from 0.001 to 10⁹: with 1000 a delay of 30 s takes 30 ms. Default `1`. */
  speed?: number | undefined;
  /** Milliseconds that each response may take, at least 1. Default `10000`, as for Kiket. */
  timeoutMs?: number | undefined;
  /**
   * The event, which decides whether the response is a decision. Default that of the header `X-Kiket-Event`, else of
   * the payload.
   */
  event?: string | undefined;
  /** `false` for a hook with `required: false`. Default `true`. */
  required?: boolean | undefined;
}

/** One attempt. */
export interface DeliveryAttemptResult {
  /** HTTP status; 0 without a response. */
  readonly status: number;
  /** By their names in lower case; the first of each name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as text. */
  readonly body: string;
  /** Milliseconds. */
  readonly durationMs: number;
  /** Why there is no response; `undefined` with one. */
  readonly failure: string | undefined;
  /** `success`, `retryable` or `final`. */
  readonly outcome: Outcome['kind'];
  /** The decision of a guard, as Kiket understands it. */
  readonly decision: Outcome['decision'];
  /** The code of the error, if the response names one. */
  readonly code: string | undefined;
  /** The next step of Kiket, for people. */
  readonly consequence: string;
}

/** All attempts of one delivery. */
export interface DeliveryResult extends DeliveryAttemptResult {
  /** In order. The members of the result are those of the last one. */
  readonly attempts: readonly DeliveryAttemptResult[];
}

const delaysOption: Option<ScheduleName | readonly number[], readonly number[]> = {
  default: 'none',
  read(value, who, name) {
    if (typeof value === 'string' && Object.hasOwn(SCHEDULES, value)) return SCHEDULES[value as ScheduleName];
    const expected = `${SCHEDULE_NAMES} or an array of delays`;
    const delays = checked<readonly number[]>(expected, Array.isArray).read(value, who, name);
    return list(number({ min: 0, max: MAX_DELAY_MS })).read(delays, who, name);
  },
};

const WHO = 'deliver';

const OPTIONS = {
  retries: delaysOption,
  speed: number({ default: 1, min: 0.001, max: 1e9 }),
  timeoutMs: integer({ default: 10_000, min: 1, max: MAX_DELAY_MS }),
  event: optional(string()),
  required: boolean(true),
} satisfies OptionTable<DeliverTestOptions>;

/**
 * Delivers to a running receiver as Kiket does, and resolves to what Kiket makes of the response. A failure to connect is a
 * result, too.
 *
 * @param url the receiver, e.g. `http://localhost:3000/kiket`.
 * @param delivery what signDelivery returns; a function is called for each attempt, so that each has its own time.
 * @throws {TypeError} when the URL, the delivery or an option is invalid, or an option is unknown.
 * @example const { outcome, attempts } = await deliver(url, () => signDelivery(payload, { secret }), { retries: 'fast' });
 */
export async function deliver(
  url: string | URL,
  delivery: SignedDelivery | (() => SignedDelivery),
  options: Readonly<DeliverTestOptions> = {},
): Promise<DeliveryResult> {
  const { retries: delays, speed, timeoutMs, event, required } = readOptions(WHO, options, OPTIONS);
  if (!URL.canParse(String(url)) || !/^https?:$/.test(new URL(url).protocol)) {
    throw optionError(WHO, 'url', 'an HTTP URL', `is ${shown(String(url))}`);
  }
  const create = (): OutgoingRequest => requestOf(String(url), typeof delivery === 'function' ? delivery() : delivery);
  const first = create();
  const hook = { event: event ?? factsOf(first).event, isRequired: required };
  const attempts = await deliverInAttempts((retries) => (retries === 0 ? first : create()), {
    hook,
    delays,
    speed,
    timeoutMs,
  });
  const results = attempts.map(({ result, outcome }): DeliveryAttemptResult => {
    const { kind, decision, code, consequence } = outcome;
    const isResponse = 'response' in result;
    return {
      status: isResponse ? result.response.status : 0,
      headers: isResponse ? byName(result.response.headers) : {},
      body: isResponse ? result.response.body.toString() : '',
      durationMs: result.durationMs,
      failure: isResponse ? undefined : result.failure.message,
      outcome: kind,
      decision,
      code,
      consequence,
    };
  });
  return { ...results.at(-1)!, attempts: results };
}

function requestOf(url: string, delivery: SignedDelivery): OutgoingRequest {
  if (!isObject(delivery) || !isObject(delivery.headers)) {
    throw optionError(WHO, 'delivery', 'an object with headers and body, or a function that returns one', 'is not');
  }
  const { headers, body } = delivery;
  return { method: 'POST', url, headers: Object.entries(headers), body: Buffer.from(body) };
}

function byName(lines: readonly HeaderLine[]): Record<string, string> {
  return Object.fromEntries([...lines].reverse().map(([name, value]) => [name.toLowerCase(), value]));
}
