import type { HeaderLine } from '../sending/http-message';

/** A request that somebody has recorded, and perhaps its response. */
export interface Capture {
  /** In upper case. */
  readonly method: string;
  /** The URL, or the path where the capture has no host. */
  readonly url: string;
  /** In order, as they were spelled. */
  readonly headers: readonly HeaderLine[];
  /** The exact bytes, as far as the format keeps them. */
  readonly body: Buffer;
  /** ISO 8601; `undefined` where the format has no time. */
  readonly receivedAt?: string | undefined;
  /** True when secrets were removed: the signature does not match the body any more. */
  readonly isRedacted?: boolean | undefined;
  /** `undefined` when none was recorded. */
  readonly response?: CapturedResponse | undefined;
}

/** A recorded response. */
export interface CapturedResponse {
  /** The HTTP status. */
  readonly status: number;
  /** In order. */
  readonly headers: readonly HeaderLine[];
  /** As received. */
  readonly body: Buffer;
}
