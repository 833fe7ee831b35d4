import { turns } from './turns';

/** Jest provides a copy of `process`, which emits no warnings. Objects created by Node refer to the original. */
export const originalProcess = (AbortController.constructor as (code: string) => () => NodeJS.Process)(
  'return process',
)();

/** Returns the warnings of Node during `run`. */
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
