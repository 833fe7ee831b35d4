import { setTimeout as wait } from 'node:timers/promises';

/** Longest pause between two calls of a condition, in milliseconds. */
const PAUSE_MS = 10;

/** The clock of the process, also while a test uses a fake one. */
const now = performance.now.bind(performance);

/**
 * Resolves to true once `condition` does; to false when a call that began `patienceMs` later still does not, however long the
 * machine was busy meanwhile.
 */
export async function until(condition: () => Promise<boolean>, patienceMs: number): Promise<boolean> {
  const startedAtMs = now();
  for (let pauseMs = 1; ; pauseMs = Math.min(PAUSE_MS, pauseMs * 1.2)) {
    const calledAtMs = now();
    if (await condition()) return true;
    if (calledAtMs - startedAtMs > patienceMs) return false;
    await wait(pauseMs);
  }
}
