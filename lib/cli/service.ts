import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Transform, type Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { acceptsConnections } from '../simulator/probe';
import { notRunError } from './exit';

/** The service that `--exec` starts: the receiver of the deliveries. */
export interface Service {
  /** Resolves when it ends by itself, to how it ended: `with exit code 1`. Never rejects. */
  readonly ended: Promise<string>;
  /** Ends the command and all processes that it has started in its group. */
  close(): Promise<void>;
}

/** Options of {@link startService}. */
export interface ServiceOptions {
  /** A line for the shell. */
  readonly command: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The receiver: its port is waited for. */
  readonly url: string;
  /** How long to wait for the port, in milliseconds. Default 60000. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Receives each line of its output. */
  readonly onLine: (line: string) => void;
  /** Receives what is waited for. */
  readonly onWait: (text: string) => void;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 100;

/** How long a service has to end after SIGTERM, in milliseconds. */
const GRACE_MS = 5000;

/** How long the system has to remove what was killed, in milliseconds. */
const KILL_MS = 1000;

/** The extension API key of the fake. */
const FAKE_API_KEY = 'ext_fake';

/** The settings of a run that its service needs. */
export interface RunSettings {
  /** The variable from which the service reads its delivery secret. */
  readonly secretName: string;
  readonly secret: string;
  /** The URL of the API that it calls back. */
  readonly apiUrl: string;
}

/** Returns the variables of a run, to be added to the environment of the service. */
export function environmentOf({ secretName, secret, apiUrl }: RunSettings): Record<string, string> {
  return {
    KIKET_WEBHOOK_SECRET: secret,
    [secretName]: secret,
    KIKET_BASE_URL: apiUrl,
    KIKET_API_KEY: FAKE_API_KEY,
  };
}

/** Returns a delivery secret for one run, for a project that has none. */
export function newDeliverySecret(): string {
  return randomBytes(32).toString('hex');
}

/**
 * Starts a service, and resolves when its port accepts connections.
 *
 * @throws {CliError} when the port is in use before, the service ends or does not listen in time, or `signal` aborts. The service
 *   has ended then.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { url, signal, onWait, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const { host } = new URL(url);
  // The deliveries would go to another server, and the service could not listen.
  if (await acceptsConnections(url)) {
    throw notRunError(`${host} accepts connections already: end that server, or leave out --exec`);
  }
  const service = new ServiceProcess(options);
  onWait(`waiting until ${host} accepts connections: ${options.command}`);
  try {
    await listening(service, { url, signal, timeoutMs });
    return service;
  } catch (error) {
    await service.close();
    throw error;
  }
}

async function listening(
  service: ServiceProcess,
  { url, signal, timeoutMs }: { readonly url: string; readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<void> {
  const { host } = new URL(url);
  const endsAt = performance.now() + timeoutMs;
  let end: string | undefined;
  void service.ended.then((how) => (end = how));
  while (!(await acceptsConnections(url))) {
    if (signal.aborted) throw notRunError(`interrupted before the service accepted connections at ${host}`);
    if (end !== undefined) throw notRunError(`the service ended ${end} before it accepted connections at ${host}`);
    if (performance.now() > endsAt) {
      throw notRunError(
        `the service did not accept connections at ${host} within ${timeoutMs / 1000} s. Name its URL with --to`,
      );
    }
    await wait(POLL_INTERVAL_MS, undefined, { signal }).catch(() => {});
  }
  // Another server may have taken the port.
  if (end !== undefined) throw notRunError(`the service ended ${end}, but another server listens at ${host}`);
}

const isWindows = process.platform === 'win32';

/** The process of a command, with all that it starts. */
class ServiceProcess implements Service {
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  #isOver = false;
  #closed: Promise<void> | undefined;

  constructor({ command, cwd, env, onLine }: ServiceOptions) {
    // A group of its own: a shell does not pass signals on to the processes that it has started.
    const child = spawn(command, {
      cwd,
      env,
      shell: true,
      detached: !isWindows,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) passOn(stream, onLine);
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(`with ${(error as NodeJS.ErrnoException).code}`));
      child.once('exit', (code, signal) => resolve(code === null ? `by ${signal}` : `with exit code ${code}`));
    });
    void this.ended.then(() => (this.#isOver = true));
    process.once('exit', this.#killNow);
    process.on('SIGHUP', this.#hangUp);
  }

  /** A second call waits for the first. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#endGroup();
    process.off('exit', this.#killNow);
    process.off('SIGHUP', this.#hangUp);
    // A process that has left the group may hold the other ends.
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  async #endGroup(): Promise<void> {
    if (!this.#send('SIGTERM') || (await this.#hasEndedWithin(GRACE_MS))) return;
    this.#send('SIGKILL');
    await this.#hasEndedWithin(KILL_MS);
  }

  async #hasEndedWithin(ms: number): Promise<boolean> {
    for (const endsAt = performance.now() + ms; performance.now() < endsAt; await wait(POLL_INTERVAL_MS / 2)) {
      if (!this.#isAlive()) return true;
    }
    return false;
  }

  #isAlive(): boolean {
    return isWindows ? !this.#isOver : this.#send(0);
  }

  /** Returns false when there is no process left. The others of the group may outlive the shell. */
  #send(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.#child;
    if (pid === undefined) return false;
    if (isWindows) {
      return !this.#isOver && spawnSync('taskkill', ['/pid', String(pid), '/T', '/F']).status === 0;
    }
    try {
      return process.kill(-pid, signal);
    } catch {
      return false;
    }
  }

  /** On a way out that does not wait, such as a second Ctrl-C. */
  readonly #killNow = (): void => {
    this.#send('SIGKILL');
  };

  /** Closing the terminal reaches this process, but not the group of the service. */
  readonly #hangUp = (): void => process.exit(129);
}

function passOn(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream === null) return;
  createInterface({ input: stream.pipe(shortened()), crlfDelay: Infinity }).on('line', (line) => {
    // A part of it might end within a secret.
    const isWhole = Buffer.byteLength(line) <= LONGEST_LINE;
    onLine(isWhole ? line : `(a line of more than ${LONGEST_LINE / 1024} KB is left out)`);
  });
}

/** In bytes. */
const LONGEST_LINE = 64 * 1024;

/** Keeps one byte more of each line, so that output without an end of line does not fill the memory. */
function shortened(): Transform {
  let length = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const kept = chunk.filter((byte) => {
        length = byte === NEWLINE || byte === RETURN ? 0 : length + 1;
        return length <= LONGEST_LINE + 1;
      });
      done(null, kept);
    },
  });
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
