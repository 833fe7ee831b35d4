// The demo, from the sources: npm run demo carries out its scenario, and npm run demo -- --open starts its page.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const args = process.argv.slice(2);
const command = args.includes('--open') ? 'dev' : 'simulate';
const cli = fileURLToPath(new URL('../lib/cli/index.ts', import.meta.url));
const child = spawn(process.execPath, ['--import', 'tsx', cli, command, '--demo', ...args], { stdio: 'inherit' });
// Both receive Ctrl-C: the command line ends by itself, and says so.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('close', (code) => (process.exitCode = code ?? 1));
