import { randomUUID } from 'node:crypto';
import { KiketError } from '../errors';
import { Claim, type ClaimSettings } from '../idempotency/claim';
import { claimKeys, inProgress, MAX_SECONDS } from '../idempotency/claim-keys';
import { identify, keysOf } from '../idempotency/delivery-key';
import { writeBinding, type RecordedResponse } from '../idempotency/stored-response';
import { requireStore, type KiketStore } from '../idempotency/store';
import { callStore } from '../idempotency/call-store';
import { callSafely } from '../callbacks';
import { requireBoolean, requireCalled, requireKnown, requireNumber, requireRecord } from '../options';
import { isGuardEvent } from '../delivery/reply';
import { runStage, type Stage, failDelivery, guardStep } from '../exchange/pipeline';
import { wiringMissing } from '../exchange/wiring-errors';
import type { KiketMiddleware } from '../exchange/express';

export { KiketMemoryStore, type KiketMemoryStoreOptions } from '../idempotency/memory-store';
export type { KiketStore } from '../idempotency/store';
export type { KiketRequestState } from '../exchange/express';

const WHO = 'kiketIdempotency';
const OPTIONS = [
  'ttlSeconds',
  'guardTtlSeconds',
  'lockSeconds',
  'passOnStoreError',
] as const satisfies (keyof KiketIdempotencyOptions)[];

export interface KiketIdempotencyOptions {
  /** How long a final answer is given again, in seconds, up to a year. Default 86400, a day. */
  ttlSeconds?: number | undefined;
  /** The same for answers to guards, which are decisions of the moment. Default 300. */
  guardTtlSeconds?: number | undefined;
  /**
   * How long a claim outlives the process that holds it, in seconds, up to a year: after a crash, the delivery runs again when
   * that time is over. A running handler renews its claim. Default 60.
   */
  lockSeconds?: number | undefined;
  /**
   * `true` runs the handler also while the store cannot be reached, so that a delivery may take effect twice. Default false: 503
   * `store.unavailable`, and Kiket sends the delivery again.
   */
  passOnStoreError?: boolean | undefined;
}

/**
 * Lets each delivery take effect once, on whichever replica: the first attempt runs and its final answer is recorded; a later one
 * is given that answer, with `Kiket-Replayed: true`; one that comes while the first is running is 503 `delivery.in_progress`.
 *
 * A delivery is known by organization, invocation and the signed payload without `authentication`, `secrets` and `secret_status`, so
 * that a retry with a fresh token is recognised; without an invocation, by bytes that are identical. The signed bytes of each
 * attempt are bound to the delivery that they came for first, whatever their headers say later.
 *
 * The outcome of kiketHandler and kiketEvents is what their promise settles to, or what the function itself writes; that of a plain
 * handler is what is written. It is recorded before the answer leaves, which waits for the store for 2 s at most, or half of what is
 * left of the deadline. The claim is held until the handler has settled, also after the deadline, a disconnect, or a time-out of the
 * service that has ended the response; what it says then answers the next attempt. That of a plain handler which does not say it by
 * `res.kiket` or `next(error)` ends after `lockSeconds`.
 *
 * Recorded are 2xx and final errors. Retryable answers, `pending`, `secret.missing`, `scope.missing` and `event.unhandled` are not, nor is
 * an answer of a handler that knew of a missing secret: there, the next attempt runs. Of an answer of more than 64 KB, of one with
 * Content-Encoding or in another charset than UTF-8, and of one that quotes a secret only the status is recorded; a guard's success only
 * if its body allows or denies, else its handler runs again. Errors are told by their codes, which kiketHandler and kiketErrorHandler know.
 *
 * Needs kiketParse before it, and stands after a compression and before the handler. What is passed on unverified is left alone.
 *
 * @throws {TypeError} at start-up, when an option makes no sense or there is no store.
 */
export function kiketIdempotency(store: KiketStore, options: Readonly<KiketIdempotencyOptions> = {}): KiketMiddleware {
  requireCalled('kiketIdempotency(store)', store);
  requireRecord(WHO, 'the second argument', options);
  const { ttlSeconds = 86_400, guardTtlSeconds = 300, lockSeconds = 60, passOnStoreError = false } = options;
  requireStore(WHO, store);
  requireKnown(WHO, options, OPTIONS);
  requireNumber(WHO, 'ttlSeconds', ttlSeconds, 1, MAX_SECONDS);
  requireNumber(WHO, 'guardTtlSeconds', guardTtlSeconds, 1, MAX_SECONDS);
  requireNumber(WHO, 'lockSeconds', lockSeconds, 1, MAX_SECONDS);
  requireBoolean(WHO, 'passOnStoreError', passOnStoreError);
  const settings: ClaimSettings = {
    store,
    lockMs: lockSeconds * 1000,
    ttlMs: ttlSeconds * 1000,
    guardTtlMs: guardTtlSeconds * 1000,
  };
  // Its claims are numbered, because a UUID for each takes 600 bytes.
  const middlewareId = randomUUID();
  let claims = 0;

  const stage: Stage = (exchange, next) => {
    if (exchange.isPassedOn || exchange.settlement !== undefined) return next();
    if (exchange.parsed === undefined) return failDelivery(exchange, wiringMissing(WHO, 'kiketParse'), next);
    let keys = keysOf(identify(exchange));
    const [attempt, delivery] = keys;
    let keysOfRun: readonly string[] | undefined;
    const owner = `${middlewareId}:${++claims}`;

    callStore(
      exchange,
      () => claimKeys(store, keys, owner, settings.lockMs, (boundTo) => (keys = [boundTo])),
      // A handler that was run without the claim, and is still running, settles it when it ends.
      (late) => late.state === 'claimed' && !(keys === keysOfRun && exchange.settlement?.isOpen === true) && giveBack(),
    ).then(
      guardStep(exchange, next, (found) => {
        if (found.state === 'claimed') return run();
        if (found.state === 'held') failDelivery(exchange, inProgress(found.retryAfterMs), next);
        else answerAgain(found.answer);
        if (keys.length > 1) callSafely(bind, attempt!, delivery!, owner);
      }),
      guardStep(exchange, next, (error: unknown) => {
        if (passOnStoreError) return run();
        // What has failed may have been no more than the answer of the store.
        giveBack();
        failDelivery(exchange, error, next);
      }),
    );

    function run(): void {
      // Before the deadline is armed, the exchange may not know that its client has left.
      if (exchange.response.isOver || exchange.res.destroyed) return giveBack();
      keysOfRun = keys;
      exchange.settlement = new Claim(settings, exchange, keys, owner);
      next();
    }

    function giveBack(): void {
      callSafely(() => store.release(keys, owner));
    }

    function answerAgain(answer: RecordedResponse): void {
      if (isGuardEvent(exchange.delivery.event) && !answer.isOfGuard) failDelivery(exchange, noDecision(), next);
      else exchange.replay(answer);
    }
  };

  /** From now on these bytes are taken for that delivery, whatever headers they come with. */
  async function bind(attempt: string, delivery: string, owner: string): Promise<void> {
    const { state } = await store.claim([attempt], owner, settings.lockMs);
    if (state === 'claimed') await store.complete([attempt], owner, writeBinding(delivery), settings.ttlMs);
  }

  return function kiketIdempotencyMiddleware(req, res, next) {
    runStage(stage, req, res, next);
  };
}

/** To be answered with another event's reply would be consent. */
function noDecision(): KiketError {
  return KiketError.of(
    'reply.missing',
    'The recorded answer of this delivery holds no decision for the guard, e.g. as headers named another event before.',
  );
}
