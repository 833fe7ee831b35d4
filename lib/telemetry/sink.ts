import { ApiClient, DEFAULT_VERSION } from '../api/client';
import { authorizeConfigured } from '../api/credentials';
import { connectionError } from '../api/failure';
import type { KiketTelemetry } from '../api/journal';
import { poolOf } from '../api/transport';
import type { KiketApiError, KiketRateLimit } from '../errors';
import type { TelemetrySettings } from './options';
import { redact } from '../redaction';
import { withTimeout } from '../timers';

/** `undefined` for a record that has arrived. */
export type SendFailure = KiketApiError | undefined;

export interface Sent {
  /** In the order of the records. */
  readonly failures: readonly SendFailure[];
  /** `undefined` when no answer has told it. */
  readonly rateLimit: KiketRateLimit | undefined;
}

/** Sends to Kiket's telemetry, with one time limit for what is sent at the same time. */
export class Sink {
  readonly #api: ApiClient;
  readonly #timeoutMs: number;
  #controller = new AbortController();

  constructor({ api, timeoutMs }: Pick<TelemetrySettings, 'api' | 'timeoutMs'>) {
    // Loads the HTTP client at start-up: by the first record it would hold up the deliveries of that moment for 90 ms.
    if (api.dispatcher === undefined) poolOf(api.origin);
    this.#timeoutMs = timeoutMs;
    this.#api = new ApiClient({
      authorize: authorizeConfigured(api, undefined),
      dispatcher: api.dispatcher,
      projectId: undefined,
      extensionId: undefined,
      eventVersion: DEFAULT_VERSION,
      // No time is left to wait in: after a 429 the client would try again by itself, where all are to pause.
      limits: () => ({ signal: this.#controller.signal, remainingMs: 0 }),
      redact: (text) => redact(text, [api.apiKey]),
      onSecret: () => undefined,
    });
  }

  /** One attempt for each record, all at the same time. Never rejects. */
  async send(records: readonly KiketTelemetry[]): Promise<Sent> {
    const before = this.#api.lastRateLimit;
    const { signal } = (this.#controller = new AbortController());
    const aborted = new Promise<SendFailure>((resolve) => {
      signal.addEventListener('abort', () => resolve(connectionError('POST', undefined, signal)));
    });
    // A dispatcher of the user's own may ignore the signal.
    const sending = Promise.all(records.map((record) => Promise.race([this.#sendOne(record), aborted])));
    const onTimeout = (): typeof sending => {
      this.#abort('No response in time', 'TimeoutError');
      return sending;
    };
    const failures = await withTimeout(sending, this.#timeoutMs, onTimeout, { unref: true });
    const { lastRateLimit } = this.#api;
    return { failures, rateLimit: lastRateLimit === before ? undefined : lastRateLimit };
  }

  /** Ends the requests that are under way. */
  abort(): void {
    this.#abort('The reporter was closed', 'AbortError');
  }

  #abort(message: string, name: string): void {
    this.#controller.abort(new DOMException(message, name));
  }

  #sendOne(record: KiketTelemetry): Promise<SendFailure> {
    return this.#api.sendTelemetry(record).then(
      () => undefined,
      (error: unknown) => error as KiketApiError,
    );
  }
}
