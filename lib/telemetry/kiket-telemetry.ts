import { onRecord } from '../exchange/record';
import { readTelemetryOptions, type KiketTelemetryOptions } from './telemetry-options';
import { Reporter } from './reporter';
import { telemetryOf } from './telemetry-of';

/** Reports to Kiket how deliveries ended. */
export interface KiketTelemetryReporter {
  /** Records that Kiket accepted. */
  readonly sent: number;
  /** Records that were discarded: refused, failed, over `maxQueued`, or left at `close()`. */
  readonly dropped: number;
  /** Records that wait or are being sent. */
  readonly queued: number;
  /**
   * Sends the waiting records, each once. Stops when the API fails or asks to wait: the rest goes on waiting. Resolves within
   * `timeoutMs`; never rejects.
   */
  flush(): Promise<void>;
  /** Stops collecting, flushes, and drops the rest. Resolves within `timeoutMs`; never rejects. */
  close(): Promise<void>;
}

/**
 * Reports to Kiket in the background how each delivery of this process ends: event, version, outcome, status, error code and
 * duration, without any contents. Deliveries that are refused before their event is known are left out.
 *
 * No delivery waits for it, and it does not keep the process alive. A failed record is dropped. It backs off while the API is
 * down, and leaves half of the rate limit to your own calls. Each delivery costs one call. Call it once per process.
 *
 * @throws {TypeError} when an option is invalid.
 * @example const telemetry = kiketTelemetry({ apiKey: process.env.KIKET_API_KEY });
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
