import { execFileSync } from 'node:child_process';

const PROGRAM = `
  const start = performance.now();
  for (const path of process.argv.slice(1)) require(path);
  process.stdout.write(String(performance.now() - start));
`;

/** Returns the milliseconds in which a fresh process loads these modules, in order. */
export function importMillis(paths) {
  return Number(execFileSync(process.execPath, ['-e', PROGRAM, ...paths], { encoding: 'utf8' }));
}
