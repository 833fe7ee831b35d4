#!/usr/bin/env node
import { EXIT } from './exit';
import { runCli } from './run';

const interrupted = new AbortController();
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;
let signalCode: number | undefined;
for (const [name, code] of Object.entries(SIGNALS)) {
  process.on(name, () => {
    // The second signal does not wait for the end of the command.
    if (signalCode !== undefined) process.exit(code);
    signalCode = code;
    interrupted.abort();
  });
}
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  // A reader such as `head` has read enough.
  if (code === 'EPIPE') process.exit(EXIT.ok);
  process.stderr.write(`error: standard output cannot be written: ${code}\n`);
  process.exit(EXIT.notRun);
});
// Nobody reads the warnings; the result is still wanted.
process.stderr.on('error', () => {});

const { argv, env, stdin, stdout, stderr } = process;
void runCli(argv.slice(2), { env, stdin, stdout, stderr, cwd: process.cwd(), signal: interrupted.signal }).then(
  (code) => {
    process.exitCode = signalCode ?? code;
  },
);
