import type { ServerResponse } from 'node:http';
import { ExposedError, toKiketError } from '../errors';
import { Exchange, exchangeOf, type KiketRequest } from './exchange';
import { isTraced, traced, tracing } from './trace';

type Next = (error?: unknown) => void;

/** @internal The work of a middleware on an exchange. kiket() calls stage after stage, where Express would look each up. */
export type Stage = (exchange: Exchange, next: Next) => void;

/** @internal Runs a stage on the exchange of a request. The first middleware of this package that sees the request opens it. */
export function runStage(stage: Stage, req: KiketRequest, res: ServerResponse, next: Next): void {
  const open = exchangeOf(req);
  if (open === undefined) begin(stage, new Exchange(req, res), next);
  else run(stage, open, next);
}

/** @internal {@link runStage} for a stage that verifies: a request that was passed on unsigned begins anew with it. */
export function runVerification(stage: Stage, req: KiketRequest, res: ServerResponse, next: Next): void {
  const open = exchangeOf(req);
  if (open?.authenticity.status === 'unsigned' && !isTraced(open)) begin(stage, open, next);
  else runStage(stage, req, res, next);
}

/** @internal True when a middleware before this one has verified the delivery. */
export function isVerified(req: KiketRequest): boolean {
  return exchangeOf(req)?.delivery.verified === true;
}

/** @internal Passes a request without a signature on, unread; no trace begins here. */
export function passOnUnsigned(req: KiketRequest, res: ServerResponse, next: () => void): void {
  (exchangeOf(req) ?? new Exchange(req, res)).passOnUnsigned();
  next();
}

function begin(stage: Stage, exchange: Exchange, next: Next): void {
  if (tracing.hasSubscribers) traced(exchange, () => run(stage, exchange, next));
  else run(stage, exchange, next);
}

/** An error that a stage throws has a code like any other, in place of Express's error page. */
function run(stage: Stage, exchange: Exchange, next: Next): void {
  try {
    stage(exchange, next);
  } catch (error) {
    failUncaught(exchange, error, next);
  }
}

/** @internal Goes on with the chain, unless the response has been sent. */
export function proceed(exchange: Exchange, next: Next): void {
  if (!exchange.response.isEnded) next();
}

/** @internal Passes an error to the error handlers, unless the response has been sent. */
export function failDelivery(exchange: Exchange, error: unknown, next: Next): void {
  if (exchange.response.isEnded) return;
  const failure = toKiketError(error);
  exchange.isOurs = true;
  exchange.failure.refuse(failure);
  try {
    next(error);
  } catch {
    // Without an error handler, a framework throws the error on.
    exchange.failure.send(failure);
  }
}

/** @internal {@link failDelivery} for a delivery that is not authentic, whatever has accepted it before. */
export function rejectDelivery(exchange: Exchange, error: unknown, next: Next): void {
  exchange.authenticity.reject();
  failDelivery(exchange, error, next);
}

/**
 * @internal {@link failDelivery} for a value that was thrown. It is wrapped: Express takes 'route' for a signal of its own, and reads properties
 * of an error where nobody catches their getters, and other error handlers decide by the status of a foreign error.
 */
export function failThrown(exchange: Exchange, thrown: unknown, next: Next): void {
  const error = toKiketError(thrown);
  const isWrapped = error !== thrown && !(error instanceof ExposedError);
  exchange.failure.setOriginal(isWrapped ? { thrown } : undefined);
  failDelivery(exchange, isWrapped ? error : thrown, next);
}

/** @internal {@link failThrown} where no `try` of Express catches. The error of a request that is passed on is left to others. */
export function failUncaught(exchange: Exchange, thrown: unknown, next: Next): void {
  if (!exchange.isPassedOn) return failThrown(exchange, thrown, next);
  try {
    next(thrown);
  } catch {
    exchange.res.destroy();
  }
}

/**
 * @internal Guards a step that follows an event, a timer or a promise, after the `try` of Express has ended: an error of the step, or of
 * the chain that goes on in it, is passed to {@link failUncaught}.
 */
export function guardStep<A extends readonly unknown[]>(
  exchange: Exchange,
  next: Next,
  step: (...args: A) => void,
): (...args: A) => void {
  return (...args) => {
    try {
      step(...args);
    } catch (error) {
      failUncaught(exchange, error, next);
    }
  };
}
