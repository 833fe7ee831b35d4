/// <reference types="node" preserve="true" />
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RegisteredEvent } from '../events/router';
import { storeOption, type KiketStore } from '../idempotency/store';
import { callStore } from '../idempotency/call-store';
import { isObject } from '../guards';
import { describe, optional, optionError, readOptions, requireCalled, type OptionTable } from '../options';
import { onRecord, type KiketRecord } from '../exchange/record';
import { VERSION } from '../version';

type Counts = Record<KiketRecord['outcome'], number>;

/** What is asked of `kiketEvents()`. */
interface RegisteredEvents {
  readonly registered: readonly RegisteredEvent[];
}

export interface KiketHealthOptions {
  /**
   * A store to ask whether it can be reached, such as that of kiketIdempotency. While it does not answer within 2 s, the route answers
   * 503. Default: none is asked.
   */
  store?: KiketStore | undefined;
}

type Route = (req: IncomingMessage, res: ServerResponse) => void;

/** What the route answers: with 200, or with 503 while it is `unavailable`. */
export interface KiketHealth {
  readonly status: 'ok' | 'unavailable';
  /** Where a store is given. */
  readonly store?: 'ok' | 'unavailable';
  /** Of `kiket-express`. */
  readonly version: string;
  readonly events: readonly RegisteredEvent[];
  /** Deliveries of this process that have ended since kiketHealth was called. */
  readonly deliveries: Readonly<Counts>;
}

const WHO = 'kiketHealth';

const OPTIONS = { store: optional(storeOption) } satisfies OptionTable<KiketHealthOptions>;

/**
 * A route that tells what this process handles, how its deliveries have ended since the call, and whether the store can be reached:
 * `app.get('/health', kiketHealth(events, { store }))`. It tells nothing of any single delivery; who may see it is up to you.
 *
 * Without a `store` it always answers 200: give it one for the check that decides whether a replica gets traffic, not for the one that
 * restarts it, as no restart brings a store back.
 *
 * @throws {TypeError} when an argument is not a `kiketEvents()`, or an option is invalid or unknown.
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
    if (store === undefined) answer(res, undefined);
    else void isReachable(store).then((reachable) => answer(res, reachable));
  };

  function answer(res: ServerResponse, reachable: boolean | undefined): void {
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

/** Asks for what changes nothing: that a claim be given up which nobody has made. Never rejects. */
function isReachable(store: KiketStore): Promise<boolean> {
  const id = `health:${randomUUID()}`;
  return callStore(UNLIMITED, () => store.release([id], id)).then(
    () => true,
    () => false,
  );
}

/** A request without a deadline. */
const UNLIMITED = { remainingMs: undefined };

const counts: Counts = { success: 0, retryable: 0, final: 0 };
let isCounting = false;

/** Returns how many deliveries have ended since the call. However often it is called, there is one who counts. */
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
