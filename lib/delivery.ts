/// <reference types="node" preserve="true" />
import type { IncomingMessage, ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import type { KiketApi } from './api/client';
import type { KiketAuth } from './auth';
import { KiketError, SignatureError } from './errors';
import type { Exchange } from './exchange';
import { headerId } from './id';
import type { KiketEventName, KiketEventOf, KiketPayload, KiketPayloadOf } from './payload';
import type { KiketResponder } from './responder';
import type { KiketSecrets } from './secrets';
import type { KiketSignature } from './signature';
import { quoted, textOf } from './text';

export type { KiketAuth } from './auth';
export type * from './payload';
export * from './reply';
export type { KiketResponder } from './responder';
export type { KiketSecrets } from './secrets';
export type { KiketSignature, KiketSignatureScheme } from './signature';

/**
 * Connect's shape rather than Express's: it fits `@types/express` 4 and 5, two copies of them, Nest and connect, and
 * leaves `req.params` of the next inline handler typed by its path.
 */
export type KiketMiddleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

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

declare global {
  namespace Express {
    interface Request {
      kiket?: KiketRequestState | undefined;
    }
    /** Not optional: without kiketRespond its use must fail, not be skipped by `?.` and leave the request hanging. */
    interface Response {
      kiket: KiketResponder;
    }
  }
}

/**
 * The delivery of a parsed request, for a plain `(req, res)` handler.
 *
 * @throws {KiketError} `wiring.missing`, naming the middleware that has not run; `signature.missing` for a request that
 *   `signatureRequired: false` passed on; `event.unhandled` when `event` is given and the delivery is another.
 */
export function kiketDelivery<P extends KiketEventName>(req: IncomingMessage, event: P): KiketDelivery<P>;
export function kiketDelivery(req: IncomingMessage): KiketDelivery;
export function kiketDelivery(req: IncomingMessage, event?: string): KiketDelivery {
  const exchange = exchangeOf(req);
  const error = refuseIncomplete(exchange, 'kiketDelivery');
  if (error !== undefined) throw error;
  const delivery = exchange!.delivery.whole;
  if (event !== undefined && delivery.event !== event) throw eventUnhandled(delivery, [event]);
  return delivery;
}

/** @internal Why `who` cannot have a whole delivery from this request; undefined when it can. */
export function refuseIncomplete(exchange: Exchange | undefined, who: string): KiketError | undefined {
  if (exchange?.passedOn === 'unsigned') return signatureMissing(exchange.req);
  if (exchange?.contents !== undefined) return undefined;
  return wiringMissing(who, exchange?.delivery.verified === undefined ? 'kiketVerify' : 'kiketParse');
}

/** @internal */
export function wiringMissing(who: string, missing: string): KiketError {
  return KiketError.of(
    'wiring.missing',
    `${who} needs ${missing}, which has not run on this request. Mount ${missing} before it, or kiket() in place of them.`,
  );
}

/** @internal */
export function signatureMissing({ method = 'POST' }: IncomingMessage): SignatureError {
  const missing =
    method === 'POST'
      ? 'The request has no X-Kiket-Signature.'
      : `This is a ${quoted(method)} request without X-Kiket-Signature. Kiket sends deliveries by POST.`;
  return SignatureError.of(
    'signature.missing',
    `${missing} If it is not meant for Kiket, mount the middleware on a path, ` +
      "app.use('/kiket', kiketVerify(secret)), or pass signatureRequired: false; a plain handler must then check req.kiket?.verified.",
  );
}

/** @internal @param events what is handled in place of the event that came. */
export function eventUnhandled(
  { event, eventVersion = '' }: Pick<Delivery, 'event' | 'eventVersion'>,
  events: readonly string[],
): KiketError {
  const came = event === undefined ? 'a delivery that names no event' : `${quoted(event)} ${quoted(eventVersion)}`;
  return KiketError.of('event.unhandled', `No handler is registered for ${came}.`, {
    details: [{ reason: 'The events that are handled here', events }],
  });
}

/** @internal Reaches a delivery's exchange from any installed copy of this package. */
export const EXCHANGE: unique symbol = Symbol.for('kiket-express.exchange') as never;

/** @internal */
export function exchangeOf(req: IncomingMessage): Exchange | undefined {
  return (req as { kiket?: Delivery }).kiket?.[EXCHANGE];
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
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get [EXCHANGE](): Exchange {
    return this.#exchange;
  }

  get rawBody(): Buffer | undefined {
    return this.#exchange.rawBody;
  }

  get secrets(): KiketSecrets | undefined {
    return this.#exchange.contents?.secrets;
  }

  get auth(): KiketAuth | undefined {
    return this.#exchange.contents?.auth;
  }

  get api(): KiketApi | undefined {
    return this.#exchange.contents?.api;
  }

  get signal(): AbortSignal {
    return this.#exchange.signal;
  }

  get invocationId(): string | undefined {
    const { headers } = this.#exchange.req;
    return textOf(headers['x-kiket-invocation']) ?? textOf(headers['x-kiket-delivery']);
  }

  get organizationId(): number | undefined {
    const { token, req } = this.#exchange;
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
