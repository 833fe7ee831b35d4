import type { KeyObject } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import { holdBack } from '../body/stream';
import { SignatureError } from '../errors';
import { toKeys, type KiketSecret } from './hmac';
import { isThenable } from '../guards';

// As Express types a request whose route is not known: `req.params` of any shape.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyRequest = Request<any>;
type Found = KiketSecret | readonly KiketSecret[] | undefined;

/**
 * The delivery secret; or several, the current one first, for the 24 hours after a rotation; or a function that looks
 * them up for a request, which decides by what is not signed yet. It returns `undefined` where there is none.
 */
export type KiketSecretSource =
  KiketSecret | readonly KiketSecret[] | ((req: AnyRequest) => Found | PromiseLike<Found>);

/** What is used of an exchange. */
interface KeyExchange {
  readonly req: IncomingMessage;
  onEnd(listener: () => void): void;
}

/**
 * Calls `done` once: at once where the keys are known or the function returns at once; not at all when the exchange ends
 * before they are there.
 */
type FindKeys = (exchange: KeyExchange, done: (keys: readonly KeyObject[] | SignatureError) => void) => void;

/**
 * How the keys for a request are found.
 *
 * @throws {TypeError} when a secret that is no function is not fit for use.
 */
export function createKeyFinder(who: string, secret: KiketSecretSource, timeoutMs: number): FindKeys {
  if (typeof secret === 'function') return (exchange, done) => lookUp(who, secret, timeoutMs, exchange, done);
  const keys = toKeys(who, secret);
  return (_exchange, done) => done(keys);
}

function lookUp(
  who: string,
  secret: (req: AnyRequest) => unknown,
  timeoutMs: number,
  ...[exchange, done]: Parameters<FindKeys>
): void {
  const { req } = exchange;
  let found: unknown;
  let isPending: boolean;
  try {
    found = secret(req as Request);
    isPending = isThenable(found);
  } catch (cause) {
    return done(unavailable(cause));
  }
  if (!isPending) return done(toFound(who, found));

  // The body would be gone when the secret is there.
  const release = holdBack(req);
  let pending = true;
  const stop = (): void => {
    pending = false;
    clearTimeout(timer);
  };
  const settle = (keys: readonly KeyObject[] | SignatureError): void => {
    if (!pending) return;
    stop();
    release();
    done(keys);
  };
  const timer = setTimeout(() => settle(unavailable(new Error(`No secret within ${timeoutMs} ms`))), timeoutMs);
  exchange.onEnd(stop);
  void Promise.resolve(found)
    .then((secrets) => toFound(who, secrets), unavailable)
    .then(settle);
}

function toFound(who: string, found: unknown): readonly KeyObject[] | SignatureError {
  if (found === undefined) return secretUnknown();
  try {
    return toKeys(who, found);
  } catch (cause) {
    return unavailable(cause);
  }
}

function secretUnknown(): SignatureError {
  return SignatureError.of('signature.secret_unknown', 'No secret is known for this request.');
}

function unavailable(cause: unknown): SignatureError {
  return SignatureError.of(
    'signature.secret_unavailable',
    'The secret could not be looked up. Kiket sends the delivery again.',
    { cause },
  );
}
