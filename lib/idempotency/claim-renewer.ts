import type { IncomingMessage } from 'node:http';
import { MAX_DELAY_MS } from '../options';

/** A claim that is renewed until the store knows its outcome. */
export interface RenewableClaim {
  /** The request that the claim is held for. */
  readonly req: IncomingMessage;
  readonly isOpen: boolean;
  /** When {@link renew} is to be called next, on the clock of `performance.now()`. */
  readonly renewAtMs: number;
  renew(): void;
  release(): Promise<void>;
}

/** The claims of this process that are renewed, or whose end the store has not been told yet. */
const open = new Set<RenewableClaim>();

/** One for all claims, at the earliest of their renewals: a timer for each delivery would cost more than its claim. */
let timer: NodeJS.Timeout | undefined;
let dueMs = Infinity;

/** Renews `claim` from now on, until it is to be forgotten. */
export function follow(claim: RenewableClaim): void {
  open.add(claim);
  if (claim.renewAtMs < dueMs) schedule(claim.renewAtMs);
}

export function forget(claim: RenewableClaim): void {
  open.delete(claim);
}

/** The claims that are held, or whose outcome the store does not know yet. */
export function openClaims(): RenewableClaim[] {
  return [...open];
}

function schedule(atMs: number): void {
  clearTimeout(timer);
  dueMs = atMs;
  // The time may have come meanwhile, and Node warns of a negative one.
  const waitMs = Math.max(0, Math.ceil(atMs - performance.now()));
  timer = setTimeout(renewDue, Math.min(MAX_DELAY_MS, waitMs));
  // That of a DOM, as tests have it, is a number.
  timer.unref?.();
}

function renewDue(): void {
  dueMs = Infinity;
  const nowMs = performance.now();
  for (const claim of open) {
    if (claim.renewAtMs <= nowMs) claim.renew();
  }
  let nextMs = Infinity;
  for (const { renewAtMs } of open) nextMs = Math.min(nextMs, renewAtMs);
  if (nextMs < Infinity) schedule(nextMs);
}
