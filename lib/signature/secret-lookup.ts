import type { KeyObject } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import { holdBack } from '../body/stream';
import { SignatureError } from '../errors';
import { toKeys, type KiketSecret } from './hmac';
import { isThenable } from '../guards';

/** A request of any route. */
// Express types a request of an unknown route so.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyRequest = Request<any>;
/** The result of a secret function. */
type Found = KiketSecret | readonly KiketSecret[] | undefined;

/**
 * The delivery secret; or several, the current one first, for the 24 hours after a rotation; or a function that looks
 * them up for a request that is not verified yet. It returns `undefined` when there is none.
 */
export type KiketSecretSource =
  KiketSecret | readonly KiketSecret[] | ((req: AnyRequest) => Found | PromiseLike<Found>);

/** The part of an exchange that is used here. */
interface KeyExchange {
  readonly req: IncomingMessage;
  onEnd(listener: () => void): void;
}

/**
 * Calls `done` once: synchronously unless the secret function returns a promise; never when the exchange ends before the
 * promise settles.
 */
type FindKeys = (exchange: KeyExchange, done: (keys: readonly KeyObject[] | SignatureError) => void) => void;

/**
 * Returns the function that finds the keys of a request.
 *
 * @throws {TypeError} when `secret` is neither a function nor a valid secret.
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
    return done(unavailableError(cause));
  }
  if (!isPending) return done(toFound(who, found));

  // A flowing body would be lost before the secret is found.
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
  const timer = setTimeout(() => settle(unavailableError(new Error(`No secret within ${timeoutMs} ms`))), timeoutMs);
  exchange.onEnd(stop);
  void Promise.resolve(found)
    .then((secrets) => toFound(who, secrets), unavailableError)
    .then(settle);
}

function toFound(who: string, found: unknown): readonly KeyObject[] | SignatureError {
  if (found === undefined) return secretUnknownError();
  try {
    return toKeys(who, found);
  } catch (cause) {
    return unavailableError(cause);
  }
}

function secretUnknownError(): SignatureError {
  return SignatureError.of('signature.secret_unknown', 'No secret is known for this request.');
}

function unavailableError(cause: unknown): SignatureError {
  return SignatureError.of(
    'signature.secret_unavailable',
    'The secret could not be looked up. Kiket sends the delivery again.',
    { cause },
  );
}
