import express5 from 'express';

/** Both majors of Express, under the types of the newer one. */
// eslint-disable-next-line @typescript-eslint/no-require-imports
export const majors = { 'Express 4': require('express4') as typeof express5, 'Express 5': express5 };

export type Express = typeof express5;

/** Runs the same tests on both majors. */
export function describeMajors(name: string, define: (express: Express) => void): void {
  describe.each(Object.entries(majors))(`${name} on %s`, (_major, express) => define(express));
}
