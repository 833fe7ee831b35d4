/// <reference types="node" preserve="true" />
import type { IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import type { KiketApi } from '../api/client';
import type { KiketSignature } from '../signature/hmac';
import { textOf } from '../text';
import type { KiketAuth, TokenClaims } from './auth';
import { headerId } from '../guards';
import type { ParsedDelivery } from './parsed-delivery';
import type { KiketEventName, KiketEventOf, KiketPayload, KiketPayloadOf } from './payload';
import type { KiketSecrets } from './secrets';

/** What a background job may know of a delivery: nothing here is secret. */
export interface KiketJobDelivery<P extends string = string> {
  readonly event: KiketEventOf<P>;
  /** `v1`, `v2`, …; `1` is `v1`. */
  readonly eventVersion: string;
  readonly payload: KiketPayloadOf<P>;
  /** `X-Kiket-Invocation`, else `X-Kiket-Delivery`: not signed, for correlation, and to know a retry of the same payload again. */
  readonly invocationId: string | undefined;
  /** The signed payload's `issue.project_id`, else that of a verified runtime token, else `X-Kiket-Project`: then not signed. */
  readonly projectId: number | undefined;
  /** That of a verified runtime token; without one `X-Kiket-Organization`: not signed, as the invocation. */
  readonly organizationId: number | undefined;
  /** Calls Kiket back, with the runtime token of the delivery or the `apiKey` of the `api` option; in a job, of kiketWorker's. */
  readonly api: KiketApi;
  /** Aborts at the deadline, and when the client disconnects; in a job, at `timeoutMs`, and when another worker may have it. */
  readonly signal: AbortSignal;
  /** Narrows `payload`. */
  is<E extends KiketEventName>(event: E): this is KiketJobDelivery<E>;
}

/** What a handler is given. It prints and serialises without secrets, token and raw body. */
export interface KiketDelivery<P extends string = string> extends KiketJobDelivery<P> {
  /** The exact bytes received. */
  readonly rawBody: Buffer;
  /** `false` only for what `reportOnly` or `signatureRequired: false` passed on. */
  readonly verified: boolean;
  readonly signature: KiketSignature | undefined;
  readonly secrets: KiketSecrets;
  readonly auth: KiketAuth;
}

/** `req.kiket`: what is known so far. Reading it never throws, so access logs may. */
export type KiketRequestState = Partial<Omit<KiketDelivery, 'is'>>;

/** @internal Reaches a delivery's exchange from any installed copy of this package. */
export const EXCHANGE: unique symbol = Symbol.for('kiket-express.exchange') as never;

/** @internal What a delivery reads from the exchange behind it. */
export interface DeliverySource {
  readonly req: IncomingMessage;
  readonly rawBody: Buffer | undefined;
  readonly signal: AbortSignal;
  /** The claims of the verified runtime token. */
  readonly token: TokenClaims | undefined;
  /** `undefined` until kiketParse has run. */
  readonly parsed: ParsedDelivery | undefined;
}

const MAX_DEPTH = 500;

/**
 * @internal `req.kiket`. What is not secret stands in fields of its own, which spread and clone; the rest is reached
 * through accessors of the class, which do not.
 */
export class Delivery {
  verified: boolean | undefined = undefined;
  signature: KiketSignature | undefined = undefined;
  event: string | undefined = undefined;
  eventVersion: string | undefined = undefined;
  payload: KiketPayload | undefined = undefined;
  projectId: number | undefined = undefined;
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

  get auth(): KiketAuth | undefined {
    return this.#source.parsed?.auth;
  }

  get api(): KiketApi | undefined {
    return this.#source.parsed?.api;
  }

  get signal(): AbortSignal {
    return this.#source.signal;
  }

  get invocationId(): string | undefined {
    const { headers } = this.#source.req;
    return textOf(headers['x-kiket-invocation']) ?? textOf(headers['x-kiket-delivery']);
  }

  get organizationId(): number | undefined {
    const { token, req } = this.#source;
    return token === undefined ? headerId(req.headers['x-kiket-organization']) : token.organizationId;
  }

  /** This delivery, once it is parsed, in the type that handlers see. */
  get whole(): KiketDelivery {
    return this as unknown as KiketDelivery;
  }

  is(event: string): boolean {
    return this.event === event;
  }

  toJSON(): object {
    const { verified, signature, event, eventVersion, invocationId, projectId, organizationId, secrets, auth } = this;
    const payload = isNestedDeeply(this.payload) ? '[nested too deeply]' : this.payload;
    return {
      verified,
      signature,
      event,
      eventVersion,
      invocationId,
      projectId,
      organizationId,
      payload,
      secrets,
      auth,
    };
  }

  [inspect.custom](): object {
    return Object.fromEntries(Object.entries(this.toJSON()).filter(([, value]) => value !== undefined));
  }
}

/** Whether to serialise a value may exhaust the stack; a payload is bounded in size, but not in depth. */
function isNestedDeeply(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((each): unknown[] => (typeof each === 'object' && each !== null ? Object.values(each) : []));
  }
  return false;
}
