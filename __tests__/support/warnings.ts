import { turns } from './turns';

/** Jest gives tests a copy of `process`, to which no warning comes; what Node itself has made still knows the original. */
const original = (AbortController.constructor as (code: string) => () => NodeJS.Process)('return process')();

/** What Node warns of while `run` is at work. */
export async function warningsOf(run: () => Promise<unknown>): Promise<Error[]> {
  const warnings: Error[] = [];
  const collect = (warning: Error): void => void warnings.push(warning);
  original.on('warning', collect);
  try {
    await run();
    await turns();
  } finally {
    original.off('warning', collect);
  }
  return warnings;
}
