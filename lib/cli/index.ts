#!/usr/bin/env node
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
// A reader such as `head` has read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const { argv, env, stdin, stdout, stderr } = process;
void runCli(argv.slice(2), { env, stdin, stdout, stderr, cwd: process.cwd(), signal: interrupted.signal }).then(
  (code) => {
    process.exitCode = signalCode ?? code;
  },
);
