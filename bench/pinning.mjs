import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const LOAD_CORE = '0';
const SERVER_CORE = '1';

/** True when load and receivers can have a core each. Without pinning they compete, and the figures scatter. */
export const pinned = availableParallelism() > 1 && canPin();

/** Options of `fork` that keep the new process on the receivers' core. */
export const serverForkOptions = pinned ? { execPath: 'taskset', execArgv: ['-c', SERVER_CORE, process.execPath] } : {};

function canPin() {
  try {
    execFileSync('taskset', ['-c', SERVER_CORE, 'true'], { stdio: 'ignore' });
    execFileSync('taskset', ['-a', '-p', '-c', LOAD_CORE, `${process.pid}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false; // no taskset on this system, or not these cores
  }
}
