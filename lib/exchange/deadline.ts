import { setMaxListeners } from 'node:events';
import type { KiketManifest } from '../delivery/manifest';

/** Kiket waits 10 s for a response. */
export const DEFAULT_DEADLINE_MS = 9000;

/** Kiket waits 8 s for the decision about a guard event. */
const GUARD_DEADLINE_MS = 7000;

/** The deadline, as a part of the time that Kiket waits. The rest is for the way. */
const MARGIN_FACTOR = DEFAULT_DEADLINE_MS / 10_000;

/**
 * Returns a function that returns the deadline for an event: nine tenths of the shortest time-out of its hooks in the manifest;
 * without one, nine tenths of the time-out of the callback, and for a guard event at most 7 s.
 */
export function createDeadlineFor(
  manifest: Pick<KiketManifest, 'hooks' | 'timeoutMs'> | undefined,
): (event: string, isGuard: boolean) => number {
  const ofHooks = new Map<string, number>();
  for (const { event, timeoutMs } of manifest?.hooks ?? []) {
    // An event may have several hooks, and a delivery does not say which it is of.
    if (timeoutMs !== undefined) ofHooks.set(event, Math.min(withMargin(timeoutMs), ofHooks.get(event) ?? Infinity));
  }
  const ofCallback = withMargin(manifest?.timeoutMs ?? Infinity);
  const ofGuards = Math.min(GUARD_DEADLINE_MS, ofCallback);
  return (event, isGuard) => ofHooks.get(event) ?? (isGuard ? ofGuards : ofCallback);
}

function withMargin(timeoutMs: number): number {
  return Math.min(DEFAULT_DEADLINE_MS, Math.floor(timeoutMs * MARGIN_FACTOR));
}

/** The time limit of a delivery, counted from its arrival, and the signal that aborts with it. */
export class Deadline {
  readonly #arrivedAtMs = performance.now();
  readonly #onExpired: () => void;
  #limitMs: number | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #abortReason: unknown = undefined;

  constructor(onExpired: () => void) {
    this.#onExpired = onExpired;
  }

  /** Milliseconds since the delivery arrived. */
  get elapsedMs(): number {
    return performance.now() - this.#arrivedAtMs;
  }

  get isSet(): boolean {
    return this.#limitMs !== undefined;
  }

  /** Milliseconds until the deadline, negative once it has passed; `undefined` while none is set. */
  get remainingMs(): number | undefined {
    return this.#limitMs === undefined ? undefined : this.#limitMs - this.elapsedMs;
  }

  /** Sets the time limit. The timer runs from {@link start} on. */
  set(limitMs: number): void {
    this.#limitMs = limitMs;
    this.stop();
  }

  /** Starts the timer, unless it is running or no limit is set. */
  start(): void {
    if (this.#limitMs === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(this.#onExpired, Math.max(0, Math.ceil(this.#limitMs - this.elapsedMs)));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Calls `onGraceOver` after `graceMs` milliseconds, unless stopped. */
  grant(graceMs: number, onGraceOver: () => void): void {
    this.#timer = setTimeout(onGraceOver, graceMs);
  }

  /** Created on first use, as few handlers read it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = createAbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }
}

/** Creates a controller whose signal takes any number of listeners without a warning. */
export function createAbortController(): AbortController {
  const controller = new AbortController();
  try {
    setMaxListeners(0, controller.signal);
  } catch {
    // A signal of jsdom is refused. It warns of nothing.
  }
  return controller;
}
