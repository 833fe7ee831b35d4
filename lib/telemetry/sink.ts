import { ApiClient, DEFAULT_VERSION } from '../api/client';
import { authorizeConfigured } from '../api/credentials';
import { connectionError } from '../api/api-errors';
import type { KiketTelemetry } from '../api/telemetry';
import { poolOf } from '../api/transport';
import type { KiketApiError, KiketRateLimit } from '../errors';
import type { TelemetrySettings } from './telemetry-options';
import { redact } from '../redaction';
import { withTimeout } from '../timers';

/** `undefined` for a record that was accepted. */
export type SendFailure = KiketApiError | undefined;

export interface Sent {
  /** In the order of the records. */
  readonly failures: readonly SendFailure[];
  /** `undefined` when no response contained it. */
  readonly rateLimit: KiketRateLimit | undefined;
}

/** Sends records to Kiket, with one timeout for those that are sent together. */
export class Sink {
  readonly #api: ApiClient;
  readonly #timeoutMs: number;
  #controller = new AbortController();

  constructor({ api, timeoutMs }: Pick<TelemetrySettings, 'api' | 'timeoutMs'>) {
    // Loads the HTTP client at start-up: loading it takes 90 ms, which would delay the deliveries at that moment.
    if (api.dispatcher === undefined) poolOf(api.origin);
    this.#timeoutMs = timeoutMs;
    this.#api = new ApiClient({
      authorize: authorizeConfigured(api, undefined),
      dispatcher: api.dispatcher,
      projectId: undefined,
      extensionId: undefined,
      eventVersion: DEFAULT_VERSION,
      // Without time left, the client does not retry: after a 429 all records are to pause.
      limits: () => ({ signal: this.#controller.signal, remainingMs: 0 }),
      redact: (text) => redact(text, [api.apiKey]),
      onSecret: () => undefined,
    });
  }

  /** Sends all records at once, each in one attempt. Never rejects. */
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

  /** Aborts running requests. */
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
