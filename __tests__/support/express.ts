import express5 from 'express';

/** Both majors of Express, under the types of the newer one. */
// eslint-disable-next-line @typescript-eslint/no-require-imports
export const majors = { 'Express 4': require('express4') as typeof express5, 'Express 5': express5 };

export type Express = typeof express5;

const chosen = chooseMajors(process.env['KIKET_EXPRESS']);

/** Runs the same tests on both majors, or on the one that the environment variable `KIKET_EXPRESS` names: `4` or `5`. */
export function describeMajors(name: string, define: (express: Express) => void): void {
  describe.each(chosen)(`${name} on %s`, (_major, express) => define(express));
}

/** Runs tests once, on Express 5 unless `KIKET_EXPRESS` is `4`: for behaviour that no major of Express can change. */
export function describeNewest(name: string, define: (express: Express) => void): void {
  const [, express] = chosen.at(-1)!;
  describe(name, () => define(express));
}

function chooseMajors(major: string | undefined): [string, Express][] {
  const entries = Object.entries(majors);
  if (major === undefined) return entries;
  const named = entries.filter(([name]) => name === `Express ${major}`);
  if (named.length === 0) throw new Error(`KIKET_EXPRESS must be 4 or 5, but is ${major}`);
  return named;
}
