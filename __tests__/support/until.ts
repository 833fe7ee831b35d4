import { setTimeout as wait } from 'node:timers/promises';

/** Less than Jest gives a test. */
const PATIENCE_MS = 4000;

/** The clock of the machine, also while a test moves one of its own; the timer of Node's module is real anyway. */
const now = performance.now.bind(performance);

/** Resolves once `condition` holds; rejects when it does not, so that what hangs is closed before the test is given up. */
export async function until(condition: () => boolean): Promise<void> {
  for (const startedAtMs = now(); !condition(); await wait(1)) {
    if (now() - startedAtMs > PATIENCE_MS) throw new Error('What the test waits for does not come');
  }
}
