/// <reference types="node" preserve="true" />
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RegisteredEvent } from '../events/router';
import { storeOption, type KiketStore } from '../idempotency/store';
import { callStore } from '../idempotency/call-store';
import { isObject } from '../guards';
import { describe, optional, optionError, readOptions, requireCalled, type OptionTable } from '../options';
import { onRecord, type KiketRecord } from '../exchange/record';
import { VERSION } from '../package-json';

/** The number of deliveries for each outcome. */
type Counts = Record<KiketRecord['outcome'], number>;

/** The members of `kiketEvents()` that are used. */
interface RegisteredEvents {
  /** The events that have a handler. */
  readonly registered: readonly RegisteredEvent[];
}

/** Options of kiketHealth. */
export interface KiketHealthOptions {
  /**
   * A store to check, such as that of kiketIdempotency. The status is 503 when it does not respond within 2 s. Default
   * none.
   */
  store?: KiketStore | undefined;
}

/** A route of Express, or a listener of Node's server. */
type Route = (req: IncomingMessage, res: ServerResponse) => void;

/** The body of the response. */
export interface KiketHealth {
  /** `ok` is sent with 200, `unavailable` with 503. */
  readonly status: 'ok' | 'unavailable';
  /** Absent without a `store`. */
  readonly store?: 'ok' | 'unavailable';
  /** The version of `kiket-express`. */
  readonly version: string;
  /** The events of all given `kiketEvents()`. */
  readonly events: readonly RegisteredEvent[];
  /** Deliveries of this process that ended since kiketHealth was called, by outcome. */
  readonly deliveries: Readonly<Counts>;
}

const WHO = 'kiketHealth';

const OPTIONS = { store: optional(storeOption) } satisfies OptionTable<KiketHealthOptions>;

/**
 * Creates a route with the handled events, counts of deliveries by outcome, and the state of the store:
 * `app.get('/health', kiketHealth(events, { store }))`. It contains nothing of a single delivery, and has no access control.
 *
 * Without a `store` it always responds 200. Use it with a `store` as a readiness check, not as a liveness check: a restart does
 * not bring a store back.
 *
 * @throws {TypeError} when an argument is not a `kiketEvents()`, or an option is invalid or unknown.
 * @example app.get('/health', kiketHealth(events, { store }));
 */
export function kiketHealth(...events: readonly RegisteredEvents[]): Route;
export function kiketHealth(
  ...args: readonly [...events: readonly RegisteredEvents[], options: Readonly<KiketHealthOptions>]
): Route;
export function kiketHealth(...args: readonly (RegisteredEvents | Readonly<KiketHealthOptions>)[]): Route {
  requireCalled('kiketHealth(events)', args[0]);
  const last = args.at(-1);
  const { store } = readOptions(WHO, isOptions(last) ? last : {}, OPTIONS);
  const events = isOptions(last) ? args.slice(0, -1) : args;
  requireEvents(events);
  const countsSince = startCounting();

  return function kiketHealthRoute(_req, res) {
    if (store === undefined) respond(res, undefined);
    else void isReachable(store).then((reachable) => respond(res, reachable));
  };

  function respond(res: ServerResponse, reachable: boolean | undefined): void {
    const health: KiketHealth = {
      status: reachable === false ? 'unavailable' : 'ok',
      ...(reachable !== undefined && { store: reachable ? 'ok' : 'unavailable' }),
      version: VERSION,
      events: (events as readonly RegisteredEvents[]).flatMap(({ registered }) => registered),
      deliveries: countsSince(),
    };
    const json = JSON.stringify(health);
    res.statusCode = reachable === false ? 503 : 200;
    res.setHeader('Content-Type', 'application/json; charset=utf-8');
    res.setHeader('Cache-Control', 'no-store');
    res.setHeader('Content-Length', Buffer.byteLength(json));
    res.end(json);
  }
}

function isOptions(value: object | undefined): value is Readonly<KiketHealthOptions> {
  return isObject(value) && !('registered' in value) && Object.keys(value).length > 0;
}

function requireEvents(events: readonly unknown[]): asserts events is readonly RegisteredEvents[] {
  for (const each of events) {
    if (Array.isArray((each as Partial<RegisteredEvents> | null | undefined)?.registered)) continue;
    throw optionError(WHO, 'each argument before the options', 'a kiketEvents()', `one is ${describe(each)}`);
  }
}

/** Releases a claim that does not exist, which changes nothing. Never rejects. */
function isReachable(store: KiketStore): Promise<boolean> {
  const id = `health:${randomUUID()}`;
  return callStore(UNLIMITED, () => store.release([id], id)).then(
    () => true,
    () => false,
  );
}

/** For callStore: there is no deadline. */
const UNLIMITED = { remainingMs: undefined };

const counts: Counts = { success: 0, retryable: 0, final: 0 };
let isCounting = false;

/** Returns a function that returns the deliveries since the call, by outcome. All calls share one subscription. */
function startCounting(): () => Counts {
  if (!isCounting) onRecord(({ outcome }) => counts[outcome]++);
  isCounting = true;
  const { success, retryable, final } = counts;
  return () => ({
    success: counts.success - success,
    retryable: counts.retryable - retryable,
    final: counts.final - final,
  });
}
