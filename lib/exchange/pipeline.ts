import type { ServerResponse } from 'node:http';
import { Exchange, type KiketRequest, exchangeOf } from './exchange';
import { isTraced, traced, tracing } from './trace';

type Next = (error?: unknown) => void;

/** @internal What a middleware does with an exchange. kiket() calls stage after stage, where Express would look each up. */
export type Stage = (exchange: Exchange, next: Next) => void;

/** @internal Runs a stage on the exchange of a request, which the first middleware of this package that sees it opens. */
export function runStage(stage: Stage, req: KiketRequest, res: ServerResponse, next: Next): void {
  const open = exchangeOf(req);
  if (open === undefined) begin(stage, new Exchange(req, res), next);
  else run(stage, open, next);
}

/** @internal The same for a stage that verifies: with it a request begins anew that was passed on unsigned. */
export function runVerification(stage: Stage, req: KiketRequest, res: ServerResponse, next: Next): void {
  const open = exchangeOf(req);
  if (open?.passedOn === 'unsigned' && !isTraced(open)) begin(stage, open, next);
  else runStage(stage, req, res, next);
}

function begin(stage: Stage, exchange: Exchange, next: Next): void {
  if (tracing.hasSubscribers) traced(exchange, () => run(stage, exchange, next));
  else run(stage, exchange, next);
}

/** What a stage throws is a row of the table like any other error, not a page of Express. */
function run(stage: Stage, exchange: Exchange, next: Next): void {
  try {
    stage(exchange, next);
  } catch (error) {
    exchange.caught(error, next);
  }
}

/** @internal Passes a request without a signature on, unread; no trace begins here. */
export function passOnUnsigned(req: KiketRequest, res: ServerResponse, next: () => void): void {
  (exchangeOf(req) ?? new Exchange(req, res)).passOn('unsigned');
  next();
}
