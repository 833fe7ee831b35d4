/// <reference types="node" preserve="true" />
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RegisteredEvent } from '../event-routes';
import { describe, requireCalled } from '../options';
import { onRecord, type KiketRecord } from '../record';
import { VERSION } from '../version';

type Counts = Record<KiketRecord['outcome'], number>;

/** What is asked of `kiketEvents()`. */
interface RegisteredEvents {
  readonly registered: readonly RegisteredEvent[];
}

/** What the route answers. */
export interface KiketHealth {
  readonly status: 'ok';
  /** Of `kiket-express`. */
  readonly version: string;
  readonly events: readonly RegisteredEvent[];
  /** Deliveries of this process that have ended since kiketHealth was called. */
  readonly deliveries: Readonly<Counts>;
}

/**
 * A route that tells what this process handles, and how its deliveries have ended since the call:
 * `app.get('/health', kiketHealth(events))`. It tells nothing of any single delivery; who may see it is up to you.
 *
 * @throws {TypeError} when it is given what is no `kiketEvents()`.
 */
export function kiketHealth(
  ...events: readonly RegisteredEvents[]
): (req: IncomingMessage, res: ServerResponse) => void {
  requireCalled('kiketHealth(events)', events[0]);
  for (const each of events) {
    if (Array.isArray((each as Partial<RegisteredEvents> | undefined)?.registered)) continue;
    throw new TypeError(`kiketHealth: an argument is ${describe(each)}; give what kiketEvents() returns`);
  }
  const countsSince = startCounting();

  return function kiketHealthRoute(_req, res) {
    const health: KiketHealth = {
      status: 'ok',
      version: VERSION,
      events: events.flatMap(({ registered }) => registered),
      deliveries: countsSince(),
    };
    const json = JSON.stringify(health);
    res.setHeader('Content-Type', 'application/json; charset=utf-8');
    res.setHeader('Cache-Control', 'no-store');
    res.setHeader('Content-Length', Buffer.byteLength(json));
    res.end(json);
  };
}

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
