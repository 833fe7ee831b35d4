import { onRecord } from '../exchange/record';
import { readTelemetryOptions, type KiketTelemetryOptions } from './options';
import { Reporter } from './reporter';
import { telemetryOf } from './telemetry-of';

/** Tells Kiket how deliveries ended. */
export interface KiketTelemetryReporter {
  /** Records that have arrived. */
  readonly sent: number;
  /** Records that were given up: refused, failed, too many, or left at `close()`. */
  readonly dropped: number;
  /** Records that wait or are under way. */
  readonly queued: number;
  /**
   * Sends what waits, each record once, and stops where the API does not take it or asks to wait: the rest goes on waiting.
   * Resolves within `timeoutMs`. Never rejects.
   */
  flush(): Promise<void>;
  /** Collects no more, flushes, and drops what then is left. Resolves within `timeoutMs`. Never rejects. */
  close(): Promise<void>;
}

/**
 * From now on, tells Kiket in the background how each delivery of this process ended (`contract.md` §5): event, version,
 * outcome, status, error code and duration, never what was in it. One that was refused before its event was known is left out.
 *
 * No delivery waits for it or fails by it, and it does not keep the process alive. A record that fails is dropped. While the
 * API is down it waits longer and longer; when less than half of the rate limit is left, it waits for the next window, so that
 * the rest is there for calls of your own.
 *
 * Each delivery costs one call of the rate limit. Once in a process: two reporters tell everything twice.
 *
 * @throws {TypeError} when an option makes no sense.
 */
export function kiketTelemetry(options: Readonly<KiketTelemetryOptions>): KiketTelemetryReporter {
  const reporter = new Reporter(readTelemetryOptions(options));
  const stop = onRecord((record) => {
    const telemetry = telemetryOf(record);
    if (telemetry !== undefined) reporter.add(telemetry);
  });

  return {
    get sent() {
      return reporter.sent;
    },
    get dropped() {
      return reporter.dropped;
    },
    get queued() {
      return reporter.queued;
    },
    flush: () => reporter.flush(),
    close() {
      stop();
      return reporter.close();
    },
  };
}
