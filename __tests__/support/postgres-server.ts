import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { describeWith, freshServerPort } from './describe-with';

/** A PostgreSQL of the test's own, in a process and a folder of its own. It is removed after the tests of the file. */
export interface PostgresServer {
  /** For every client, with an empty database. */
  readonly url: string;
  /** Returns the rows of a statement, over a connection of its own, as a superuser. */
  query(text: string, parameters?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** Ends the process as `pg_ctl stop -m immediate` does: without a checkpoint, and connections break. */
  stop(): Promise<void>;
  /** Starts it again on the same port, after `stop`. Its data is kept. */
  start(): Promise<void>;
  /** Suspends its processes: connections stay open, and no statement gets a result. */
  pause(): void;
  resume(): void;
}

export interface PostgresServerOptions {
  /** Lines of postgresql.conf, such as `{ max_connections: '5' }`. */
  settings?: Readonly<Record<string, string>>;
}

const { POSTGRES_URL } = process.env;
const binaries = findBinaries();

const HOW_TO_GET = 'install PostgreSQL (apt-get install postgresql, brew install postgresql)';

/** Tests that need a PostgreSQL: {@link startPostgres}, without options, its `url` and `query`. */
export function describeWithPostgres(name: string, define: () => void): void {
  const isThere = binaries !== undefined || Boolean(POSTGRES_URL);
  describeWith({ name: 'PostgreSQL', isThere, remedy: `${HOW_TO_GET}, or set POSTGRES_URL` }, name, define);
}

/** Tests that need a PostgreSQL process of their own, with settings, or to stop or pause it. */
export function describeWithPostgresServer(name: string, define: () => void): void {
  describeWith({ name: 'PostgreSQL', isThere: binaries !== undefined, remedy: HOW_TO_GET }, name, define);
}

/** A running server with an empty database. Without binaries, a new database on the server of POSTGRES_URL. */
export async function startPostgres(options: Readonly<PostgresServerOptions> = {}): Promise<PostgresServer> {
  if (binaries === undefined) return newDatabaseOn(POSTGRES_URL!);
  // Another process may have taken the port.
  for (let attempt = 1; ; attempt++) {
    const server = new PostgresProcess(binaries, options);
    try {
      server.initialize();
      await server.start();
      return server;
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

/** The folder of `initdb` and `postgres`. Debian has one for each major, none of which is on the PATH. */
function findBinaries(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const majors = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...(process.env['PATH'] ?? '').split(':'), ...majors.map((major) => join(debian, major, 'bin'))];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** The server refuses to run as root: then as the user that its package has made. */
function serverUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

const started: { remove(): Promise<void> }[] = [];

class PostgresProcess implements PostgresServer {
  readonly #port = freshServerPort();
  readonly url = `postgres://postgres@127.0.0.1:${this.#port}/postgres`;
  readonly #binaries: string;
  readonly #settings: readonly string[];
  readonly #user = serverUser();
  readonly #folder = mkdtempSync(join(tmpdir(), 'kiket-postgres-'));
  #child: ChildProcess | undefined;

  constructor(binaries: string, { settings = {} }: Readonly<PostgresServerOptions>) {
    started.push(this);
    this.#binaries = binaries;
    const all = {
      listen_addresses: '127.0.0.1',
      port: String(this.#port),
      unix_socket_directories: '',
      // A crash of the machine would lose data; that of the server does not.
      fsync: 'off',
      shared_buffers: '32MB',
      ...settings,
    };
    this.#settings = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const { uid, gid } = this.#user;
    if (uid !== undefined) chownSync(this.#folder, uid, gid!);
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  initialize(): void {
    const flags = ['--username=postgres', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C'];
    const { status, stderr } = spawnSync(join(this.#binaries, 'initdb'), ['-D', this.#data, ...flags], {
      ...this.#user,
      cwd: this.#folder,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`initdb has failed: ${stderr}`);
  }

  async start(): Promise<void> {
    const child = spawn(join(this.#binaries, 'postgres'), ['-D', this.#data, ...this.#settings], {
      ...this.#user,
      cwd: this.#folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    let log = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        if (log.includes('ready to accept connections')) return;
        log += text;
        if (log.includes('ready to accept connections')) resolve();
      });
      child.once('error', reject);
      child.once('close', () => reject(new Error(`postgres has ended: ${log}`)));
    });
  }

  async query(text: string, parameters: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    return queryAt(this.url, text, parameters);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    this.resume();
    const closed = once(child, 'close');
    child.kill('SIGQUIT');
    await closed;
  }

  pause(): void {
    this.#signalAll('STOP');
  }

  resume(): void {
    this.#signalAll('CONT');
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Each connection has a process of its own. */
  #signalAll(signal: 'STOP' | 'CONT'): void {
    const pid = String(this.#child?.pid);
    spawnSync('pkill', [`-${signal}`, '-P', pid]);
    spawnSync('kill', [`-${signal}`, pid]);
  }
}

async function newDatabaseOn(url: string): Promise<PostgresServer> {
  const name = `kiket_test_${randomUUID().replaceAll('-', '')}`;
  await queryAt(url, `CREATE DATABASE ${name}`);
  started.push({ remove: async () => void (await queryAt(url, `DROP DATABASE ${name} WITH (FORCE)`)) });
  const own = new URL(url);
  own.pathname = `/${name}`;
  return {
    url: own.href,
    query: (text, parameters) => queryAt(own.href, text, parameters),
    stop: () => Promise.reject(notOurs()),
    start: () => Promise.reject(notOurs()),
    pause: () => {
      throw notOurs();
    },
    resume: () => {
      throw notOurs();
    },
  };
}

function notOurs(): Error {
  return new Error('The PostgreSQL of POSTGRES_URL is not the test’s own; use describeWithPostgresServer');
}

async function queryAt(
  url: string,
  text: string,
  parameters: readonly unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text, [...parameters]);
    return rows;
  } finally {
    await client.end();
  }
}

afterAll(async () => {
  await Promise.all(started.splice(0).map((server) => server.remove()));
});
