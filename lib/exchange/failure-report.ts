import type { KiketError } from '../errors';

/** The error that a delivery has ended in, as far as it is known, and who still has to be told of it. */
export class FailureReport {
  #error: KiketError | undefined = undefined;
  #refusal: KiketError | undefined = undefined;
  #unreported: { readonly thrown: unknown } | undefined = undefined;

  /** Code of the latest error. */
  get code(): string | undefined {
    return this.#error?.code;
  }

  /** The error that was passed to `next`. */
  get refusal(): KiketError | undefined {
    return this.#refusal;
  }

  /** The error that the response tells, or would tell if it could still be sent. */
  set(error: KiketError): void {
    this.#error = error;
  }

  /** The error is passed to `next`. */
  refuse(error: KiketError): void {
    this.#error = this.#refusal = error;
  }

  /** The value that was thrown, where the error wraps it: whoever answers the error may not log the original. */
  setOriginal(original: { readonly thrown: unknown } | undefined): void {
    this.#unreported = original;
  }

  /** Somebody else reports the original error. */
  markReported(): void {
    this.#unreported = undefined;
  }

  /** The original error that nobody has reported yet; returned once. */
  takeUnreported(): { readonly thrown: unknown } | undefined {
    const unreported = this.#unreported;
    this.#unreported = undefined;
    return unreported;
  }
}
