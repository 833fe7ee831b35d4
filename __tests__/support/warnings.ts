import { turns } from './turns';

/** Jest gives tests a copy of `process`, which emits no warnings. Objects that Node created still refer to the original. */
export const originalProcess = (AbortController.constructor as (code: string) => () => NodeJS.Process)(
  'return process',
)();

/** What Node warns of while `run` is at work. */
export async function warningsOf(run: () => Promise<unknown>): Promise<Error[]> {
  const warnings: Error[] = [];
  const collect = (warning: Error): void => void warnings.push(warning);
  originalProcess.on('warning', collect);
  try {
    await run();
    await turns();
  } finally {
    originalProcess.off('warning', collect);
  }
  return warnings;
}
