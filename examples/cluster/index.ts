import cluster from 'node:cluster';
import { join } from 'node:path';

const SERVERS = 4;
const programs = [...Array<string>(SERVERS).fill('server.ts'), 'worker.ts'];

let isEnding = false;
let listening = 0;

/** Starts a process of the program, and restarts it when it is killed. A process that fails by itself would fail again. */
function start(program: string): void {
  cluster.setupPrimary({ exec: join(__dirname, program) });
  cluster.fork().on('exit', (code: number, signal: string | null) => {
    if (isEnding) return;
    if (signal !== null) return start(program);
    console.error(`${program} has ended with ${code}`);
    process.exitCode = 1;
    end();
  });
}

/** Lets all processes finish their work. This process ends after them. */
function end(): void {
  isEnding = true;
  for (const child of Object.values(cluster.workers ?? {})) child?.process.kill('SIGTERM');
}

cluster.on('listening', (_child, address) => {
  if (++listening === SERVERS) console.log('Listening on', address);
});
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, end);
for (const program of programs) start(program);
