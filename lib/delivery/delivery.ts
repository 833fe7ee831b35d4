/// <reference types="node" preserve="true" />
import type { IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import type { KiketApi } from '../api/client';
import type { KiketSignature } from '../signature/hmac';
import type { KiketAuth, TokenClaims } from './auth';
import { nonEmptyString, type KiketId } from '../guards';
import type { KiketEnvelope } from './envelope';
import { externalWebhookOf, type KiketExternalWebhook } from './external-webhook';
import { deliveryOrganizationId, payloadProjectKey } from './ids';
import type { ParsedDelivery } from './parsed-delivery';
import type { KiketSettings } from './manifest';
import type { KiketEventName, KiketEventOf, KiketPayload, KiketPayloadOf } from './payload';
import type { KiketSecrets } from './secrets';

/** The part of a delivery that kiketEnqueue writes to a queue. It holds no secrets. */
export type KiketJobDelivery<P extends string = string> = JobDeliveryOf<KiketEventOf<P>, KiketPayloadOf<P>>;

/** {@link KiketJobDelivery} with the types of event and payload: one of a known event can be passed where any is expected. */
export interface JobDeliveryOf<Event, Payload> {
  /** The event's name, without a version. */
  readonly event: Event;
  /** `v1`, `v2`, …; `1` is `v1`. */
  readonly eventVersion: string;
  /** Where the payload has the fields of the event: `contract` at its top, `data`, `payload` or `external_webhook` in that member. */
  readonly envelope: KiketEnvelope;
  /** The parsed body. */
  readonly payload: Payload;
  /** The request of a third party that the platform has passed on; `undefined` in other envelopes. */
  readonly externalWebhook: KiketExternalWebhook | undefined;
  /**
   * The `id` in a `data` or `payload` envelope: signed, and equal for the retries of one delivery. Otherwise `undefined`, also when
   * nothing protects the body.
   */
  readonly deliveryId: string | undefined;
  /** `X-Kiket-Invocation`, else `X-Kiket-Delivery`. Not signed. Equal for the retries of one delivery. */
  readonly invocationId: string | undefined;
  /** The project of the payload, else that of a verified runtime token, else `X-Kiket-Project`, which is not signed. */
  readonly projectId: KiketId | undefined;
  /** The key of the project in the payload. */
  readonly projectKey: string | undefined;
  /** The organization of the payload, else that of a verified runtime token, else `X-Kiket-Organization`, which is not signed. */
  readonly organizationId: KiketId | undefined;
  /**
   * The client of Kiket's API. It sends the delivery's runtime token, or the `apiKey` of the `api` option; in a job, the
   * `apiKey` of kiketWorker.
   */
  readonly api: KiketApi;
  /** Aborts at the deadline, and when the client disconnects; in a job, at `timeoutMs`, and when the job's lock is lost. */
  readonly signal: AbortSignal;
  /** True for a delivery of `event`. Narrows the type of `payload`. */
  is<E extends KiketEventName>(event: E): this is KiketJobDelivery<E>;
}

/** The first argument of a handler. Printed or serialised, it contains no secrets, no token and no raw body. */
export type KiketDelivery<P extends string = string> = DeliveryOf<KiketEventOf<P>, KiketPayloadOf<P>>;

/** A delivery of one event: {@link KiketDelivery} with the types of event and payload. */
export interface DeliveryOf<Event, Payload> extends JobDeliveryOf<Event, Payload> {
  /** The exact bytes received. */
  readonly rawBody: Buffer;
  /** `false` only for a delivery that `reportOnly` or `signatureRequired: false` passed on. */
  readonly verified: boolean;
  /** `undefined` when no signature was verified. */
  readonly signature: KiketSignature | undefined;
  /** True when the signed body names the event. False when only header, path or query do, which are not signed. */
  readonly eventSigned: boolean;
  /** True for a guard event, which needs a decision. */
  readonly isGuard: boolean;
  /** The secrets that the platform sent with the delivery. */
  readonly secrets: KiketSecrets;
  /** The runtime token of the delivery, and its scopes. */
  readonly auth: KiketAuth;
  /**
   * The transaction of kiketTransaction, with which the handler runs its statements: what the library of the database gives. The `handler`
   * method of the middleware types it. `undefined` without kiketTransaction, and for a delivery that was not verified.
   */
  readonly transaction: unknown;
  /** Settings of the manifest that kiket() or kiketParse was given; without one `{}`. They are not those of an installation. */
  readonly settings: KiketSettings;
}

/** `req.kiket`: the parts of the delivery that are known so far. Reading and serialising it never throws. */
export type KiketRequestState = Partial<Omit<KiketDelivery, 'is'>>;

/** @internal The key of a delivery's exchange, shared by all installed copies of this package. */
export const EXCHANGE: unique symbol = Symbol.for('kiket-express.exchange') as never;

/** @internal The members of an exchange that a delivery reads. */
export interface DeliverySource {
  readonly req: IncomingMessage;
  readonly rawBody: Buffer | undefined;
  readonly signal: AbortSignal;
  readonly transaction: unknown;
  /** The claims of the verified runtime token. */
  readonly token: TokenClaims | undefined;
  /** `undefined` until kiketParse has run. */
  readonly parsed: ParsedDelivery | undefined;
}

/**
 * @internal The class of `req.kiket`. Values that are not secret are own fields, which are copied by spread and clone; the
 * others are accessors of the class, which are not.
 */
export class Delivery {
  verified: boolean | undefined = undefined;
  signature: KiketSignature | undefined = undefined;
  event: string | undefined = undefined;
  eventVersion: string | undefined = undefined;
  envelope: KiketEnvelope | undefined = undefined;
  eventSigned: boolean | undefined = undefined;
  isGuard = false;
  deliveryId: string | undefined = undefined;
  payload: KiketPayload | undefined = undefined;
  projectId: KiketId | undefined = undefined;
  readonly #source: DeliverySource;

  constructor(source: DeliverySource) {
    this.#source = source;
  }

  get [EXCHANGE](): DeliverySource {
    return this.#source;
  }

  get rawBody(): Buffer | undefined {
    return this.#source.rawBody;
  }

  get secrets(): KiketSecrets | undefined {
    return this.#source.parsed?.secrets;
  }

  get settings(): KiketSettings | undefined {
    return this.#source.parsed?.settings;
  }

  get auth(): KiketAuth | undefined {
    return this.#source.parsed?.auth;
  }

  get api(): KiketApi | undefined {
    return this.#source.parsed?.api;
  }

  get signal(): AbortSignal {
    return this.#source.signal;
  }

  get transaction(): unknown {
    return this.#source.transaction;
  }

  get invocationId(): string | undefined {
    const { headers } = this.#source.req;
    return nonEmptyString(headers['x-kiket-invocation']) ?? nonEmptyString(headers['x-kiket-delivery']);
  }

  get organizationId(): KiketId | undefined {
    const { token, req } = this.#source;
    return deliveryOrganizationId(this.payload, token, req.headers);
  }

  get projectKey(): string | undefined {
    return payloadProjectKey(this.payload);
  }

  get externalWebhook(): KiketExternalWebhook | undefined {
    return externalWebhookOf(this.payload);
  }

  is(event: string): boolean {
    return this.event === event;
  }

  toJSON(): object {
    const { verified, signature, event, eventVersion, envelope, eventSigned, deliveryId } = this;
    const { invocationId, projectId, projectKey, organizationId, secrets, auth } = this;
    return {
      verified,
      signature,
      event,
      eventVersion,
      envelope,
      eventSigned,
      deliveryId,
      invocationId,
      projectId,
      projectKey,
      organizationId,
      payload: serializable(this.payload),
      secrets,
      auth,
    };
  }

  [inspect.custom](): object {
    return Object.fromEntries(Object.entries(this.toJSON()).filter(([, value]) => value !== undefined));
  }
}

/** @internal Casts to the type that handlers receive. Call it only for a parsed delivery. */
export function asKiketDelivery(delivery: Delivery): KiketDelivery {
  return delivery as unknown as KiketDelivery;
}

/**
 * Returns `value`, or a placeholder when JSON.stringify throws for it. A payload has a limit in bytes but not in depth, and
 * a log entry about it must not exhaust the stack.
 */
function serializable(value: unknown): unknown {
  try {
    JSON.stringify(value);
    return value;
  } catch {
    return '[not serialisable]';
  }
}
