import { setTimeout as wait } from 'node:timers/promises';

/** Far longer than processes take to do anything, also on a busy machine. */
const PATIENCE_MS = 60_000;

/** Resolves once `condition` holds. What another process has to do first takes longer than `until` of the other tests waits. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const startedAtMs = performance.now(); !(await condition()); await wait(10)) {
    if (performance.now() - startedAtMs > PATIENCE_MS) throw new Error(`It does not come: ${what}`);
  }
}
