import { execFileSync } from 'node:child_process';

const PROGRAM = `
  const start = performance.now();
  for (const path of process.argv.slice(1)) require(path);
  process.stdout.write(String(performance.now() - start));
`;

/** How long a fresh process takes to load these modules, one after the other. */
export function importMillis(paths) {
  return Number(execFileSync(process.execPath, ['-e', PROGRAM, ...paths], { encoding: 'utf8' }));
}
