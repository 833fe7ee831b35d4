import { setTimeout as wait } from 'node:timers/promises';

/** Less than `testTimeout` of jest.config.js, and far longer than a process takes to start on a busy machine. */
const PATIENCE_MS = 25_000;

/** Longest pause between two calls of a condition. */
const PAUSE_MS = 20;

/** The system clock, also while a test uses a fake one. The timer of Node's module is real anyway. */
const now = performance.now.bind(performance);

/**
 * Resolves once `condition` holds. Rejects when it does not within 25 s, because Jest cannot end a loop, and so that a
 * test closes what it has opened.
 *
 * @param what completes "Timed out waiting for …".
 */
export async function until(condition: () => boolean | Promise<boolean>, what = 'the condition'): Promise<void> {
  const startedAtMs = now();
  for (let pauseMs = 1; !(await condition()); pauseMs = Math.min(PAUSE_MS, pauseMs * 1.2)) {
    if (now() - startedAtMs > PATIENCE_MS) throw new Error(`Timed out waiting for ${what}`);
    await wait(pauseMs);
  }
}
