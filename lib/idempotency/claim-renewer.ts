import type { IncomingMessage } from 'node:http';
import { MAX_DELAY_MS } from '../options';

/** A claim that is renewed until its outcome is stored. */
export interface RenewableClaim {
  /** The request that the claim belongs to. */
  readonly req: IncomingMessage;
  /** True until the outcome of the handler is known. */
  readonly isOpen: boolean;
  /** Time of the next renewal, in milliseconds of `performance.now()`. */
  readonly renewAtMs: number;
  /** Extends the lock. Once the outcome is known, tries again to store it. */
  renew(): void;
  /** Stores the outcome, or releases the claim if there is none yet. Rejects when the store fails. */
  release(): Promise<void>;
}

/** Claims held by this process, or with an outcome that is not stored yet. */
const claims = new Set<RenewableClaim>();

/** One for all claims, due at the earliest renewal: a timer for each delivery would cost more than its claim. */
let timer: NodeJS.Timeout | undefined;
let dueMs = Infinity;

/** Renews `claim` each time that it is due, until {@link stopRenewing}. */
export function startRenewing(claim: RenewableClaim): void {
  claims.add(claim);
  if (claim.renewAtMs < dueMs) schedule(claim.renewAtMs);
}

/** Ends the renewals of `claim`, and removes it from {@link openClaims}. */
export function stopRenewing(claim: RenewableClaim): void {
  claims.delete(claim);
}

/** Returns the claims held by this process, or with an outcome that is not stored yet. */
export function openClaims(): RenewableClaim[] {
  return [...claims];
}

function schedule(atMs: number): void {
  clearTimeout(timer);
  dueMs = atMs;
  // The time may be past, and Node warns of a negative delay.
  const waitMs = Math.max(0, Math.ceil(atMs - performance.now()));
  timer = setTimeout(renewDue, Math.min(MAX_DELAY_MS, waitMs));
  // In a test with a DOM, a timer is a number.
  timer.unref?.();
}

function renewDue(): void {
  dueMs = Infinity;
  const nowMs = performance.now();
  for (const claim of claims) {
    if (claim.renewAtMs <= nowMs) claim.renew();
  }
  let nextMs = Infinity;
  for (const { renewAtMs } of claims) nextMs = Math.min(nextMs, renewAtMs);
  if (nextMs < Infinity) schedule(nextMs);
}
