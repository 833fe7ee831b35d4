import type { KeyObject } from 'node:crypto';
import type { TokenClaims } from '../delivery/auth';
import type { Delivery } from '../delivery/delivery';
import type { KiketSignature } from '../signature/hmac';

/**
 * - `unchecked`: no verification has begun.
 * - `unsigned`: passed on without a signature, as `signatureRequired: false` allows.
 * - `reported`: passed on whatever the verification finds, as `reportOnly` asks for.
 * - `verified`: signed with a delivery secret, or carrying a valid runtime token.
 * - `rejected`: neither; also while a verification is running.
 */
export type AuthenticityStatus = 'unchecked' | 'unsigned' | 'reported' | 'verified' | 'rejected';

/** Who has written a delivery, as far as it is known. */
export class Authenticity {
  /** HMAC of the verified signature, 32 bytes. */
  mac: Buffer | undefined = undefined;
  /** The delivery secrets that were compared. */
  keys: readonly KeyObject[] = [];
  readonly #delivery: Delivery;
  #status: AuthenticityStatus = 'unchecked';
  #token: TokenClaims | undefined = undefined;
  #trustsUnsignedBody = false;

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
  }

  get status(): AuthenticityStatus {
    return this.#status;
  }

  get isVerified(): boolean {
    return this.#status === 'verified';
  }

  /** True when the request goes on as if this package were not there: no deadline, no record. */
  get isPassedOn(): boolean {
    return this.#status === 'unsigned' || this.#status === 'reported';
  }

  /** The claims of the runtime token, once it is verified. */
  get token(): TokenClaims | undefined {
    return this.isVerified ? this.#token : undefined;
  }

  /** True when the sender alone can have written the body, or the service has said that this does not matter. */
  get trustsBody(): boolean {
    return this.#delivery.signature !== undefined || this.#trustsUnsignedBody;
  }

  /** Discards the result of an earlier verification, unless that has accepted the delivery. */
  begin(reportOnly: boolean): void {
    if (reportOnly) this.#set('reported');
    else if (!this.isVerified) this.#set('rejected');
  }

  accept(signature: KiketSignature, mac: Buffer): void {
    this.#delivery.signature = signature;
    this.mac = mac;
    this.#set('verified');
  }

  /** @param trustsUnsignedBody of a token that came without a signature. */
  acceptToken(token: TokenClaims, trustsUnsignedBody: boolean): void {
    this.#token = token;
    this.#trustsUnsignedBody = trustsUnsignedBody;
    this.#set('verified');
  }

  reject(): void {
    this.#set('rejected');
  }

  passOnUnsigned(): void {
    this.#set('unsigned');
  }

  #set(status: AuthenticityStatus): void {
    this.#status = status;
    this.#delivery.verified = status === 'verified';
  }
}
