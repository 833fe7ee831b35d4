import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describeWith, freshServerPort } from './describe-with';

/** A Redis of the test's own, in a process and a folder of its own. It is killed after the tests of the file. */
export interface RedisServer {
  readonly port: number;
  /** For every client: `redis://127.0.0.1:<port>`. */
  readonly url: string;
  /** Sends a command over a connection of its own: `send('CONFIG', 'SET', 'maxmemory', '1mb')`. */
  send(name: string, ...args: string[]): Promise<unknown>;
  /** Ends the process gracefully. */
  stop(): Promise<void>;
  /** Ends the process with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same port, after ending it if it runs. Its data is lost unless it is `persistent`. */
  restart(): Promise<void>;
  /** Suspends the process: connections stay open, and no command gets a reply. */
  pause(): void;
  resume(): void;
}

export interface RedisServerOptions {
  /** True when data survives `stop`, `kill` and `restart`. Default: false. */
  persistent?: boolean;
  /** More lines of redis.conf, such as `{ maxmemory: '2mb' }`. */
  settings?: Readonly<Record<string, string>>;
}

const hasServer = spawnSync('redis-server', ['--version']).status === 0;
const { REDIS_URL } = process.env;

const HOW_TO_GET = 'put redis-server on the PATH (apt-get install redis-server, brew install redis)';

/** Tests that need a Redis: {@link startRedis}, without options, and its `url`, `port` and `send`. */
export function describeWithRedis(name: string, define: () => void): void {
  const isThere = hasServer || Boolean(REDIS_URL);
  describeWith({ name: 'Redis', isThere, remedy: `${HOW_TO_GET}, or set REDIS_URL` }, name, define);
}

/** Tests that need Redis processes of their own, to stop, restart or pause them, or to make a cluster of them. */
export function describeWithRedisServer(name: string, define: () => void): void {
  describeWith({ name: 'Redis', isThere: hasServer, remedy: HOW_TO_GET }, name, define);
}

/** A running server. Without `redis-server`, that of REDIS_URL, whose process and settings a test cannot change. */
export async function startRedis(options: Readonly<RedisServerOptions> = {}): Promise<RedisServer> {
  if (!hasServer && REDIS_URL) return theRedisOf(new URL(REDIS_URL), options);
  // Another process may have taken the port.
  for (let attempt = 1; ; attempt++) {
    const server = new RedisProcess(options);
    try {
      await server.start();
      return server;
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  stop(): Promise<void>;
}

const SLOTS = 16_384;

/** A cluster of three masters without replicas, which serve all slots. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const settings = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '5000' };
  const nodes = await Promise.all([1, 2, 3].map(() => startRedis({ settings })));
  await Promise.all(
    nodes.map(async (node, index) => {
      const first = Math.ceil((SLOTS * index) / nodes.length);
      const end = Math.ceil((SLOTS * (index + 1)) / nodes.length);
      const slots = Array.from({ length: end - first }, (_, i) => String(first + i));
      await node.send('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
      await node.send('CLUSTER', 'ADDSLOTS', ...slots);
    }),
  );
  const [first, ...others] = nodes;
  for (const { port } of others) await first!.send('CLUSTER', 'MEET', '127.0.0.1', String(port));
  await Promise.all(nodes.map(isJoined));
  return {
    nodes,
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

async function isJoined(node: RedisServer): Promise<void> {
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 20) {
    const info = String(await node.send('CLUSTER', 'INFO'));
    if (info.includes('cluster_state:ok') && info.includes('cluster_size:3')) return;
    await wait(20);
  }
  throw new Error('The nodes of the cluster do not find one another');
}

const started: RedisProcess[] = [];

class RedisProcess implements RedisServer {
  readonly port = freshServerPort();
  readonly url = `redis://127.0.0.1:${this.port}`;
  readonly #folder = mkdtempSync(join(tmpdir(), 'kiket-redis-'));
  readonly #settings: readonly string[];
  #child: ChildProcess | undefined;

  constructor({ persistent = false, settings = {} }: Readonly<RedisServerOptions>) {
    started.push(this);
    const all = {
      bind: '127.0.0.1',
      port: String(this.port),
      dir: this.#folder,
      save: '',
      appendonly: persistent ? 'yes' : 'no',
      appendfsync: 'always',
      // The primary would wait 5 s for further replicas.
      'repl-diskless-sync-delay': '0',
      ...settings,
    };
    this.#settings = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  }

  async start(): Promise<void> {
    const child = spawn('redis-server', this.#settings, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child = child;
    let log = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (log.includes('Ready to accept connections')) resolve();
      });
      child.once('error', reject);
      child.once('close', () => reject(new Error(`redis-server has ended: ${log}`)));
    });
  }

  send(name: string, ...args: string[]): Promise<unknown> {
    return sendTo(this.url, name, args);
  }

  async stop(): Promise<void> {
    this.resume();
    await this.#end('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }
}

function theRedisOf(url: URL, { persistent, settings }: Readonly<RedisServerOptions>): RedisServer {
  if (persistent !== undefined || settings !== undefined) throw notOurs();
  return {
    port: Number(url.port || 6379),
    url: url.href,
    send: (name, ...args) => sendTo(url.href, name, args),
    stop: () => Promise.resolve(),
    kill: () => Promise.reject(notOurs()),
    restart: () => Promise.reject(notOurs()),
    pause: () => {
      throw notOurs();
    },
    resume: () => {
      throw notOurs();
    },
  };
}

function notOurs(): Error {
  return new Error('The Redis of REDIS_URL is not the test’s own; use describeWithRedisServer');
}

async function sendTo(url: string, name: string, args: readonly string[]): Promise<unknown> {
  const connection = new Redis(url, { lazyConnect: true, retryStrategy: null });
  try {
    await connection.connect();
    return await connection.call(name, ...args);
  } finally {
    connection.disconnect();
  }
}

afterAll(async () => {
  await Promise.all(started.splice(0).map((server) => server.remove()));
});
