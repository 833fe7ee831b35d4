import type { KiketRedisStoreOptions } from '../../lib/idempotency/redis-store';

export interface RedisClient {
  readonly sendCommand: KiketRedisStoreOptions['sendCommand'];
  close(): void;
}

type Connect = (url: string, options?: { readonly refusesWhileAway?: boolean }) => Promise<RedisClient>;

export const CLIENT_NAMES = ['redis 5', 'redis 6', 'ioredis 5', 'ioredis 6'] as const;
/** The newest major of each client. */
export const NEWEST_CLIENTS: readonly string[] = ['redis 6', 'ioredis 6'] satisfies ClientName[];

export type ClientName = (typeof CLIENT_NAMES)[number];

type NodeRedis = Pick<typeof import('redis'), 'createClient' | 'createCluster'>;
type IoRedis = Pick<typeof import('ioredis'), 'Redis' | 'Cluster'>;

/** Delay before a client reconnects that refuses commands meanwhile instead of queueing them. */
const RECONNECT_MS = 20;

/** One server, by its URL, with the options that a client comes with. */
export const clients: Readonly<Record<ClientName, Connect>> = {
  'redis 5': connectNodeRedis('redis5'),
  'redis 6': connectNodeRedis('redis'),
  'ioredis 5': connectIoRedis('ioredis'),
  'ioredis 6': connectIoRedis('ioredis6'),
};

/** A cluster, by the URL of one of its nodes. */
export const clusterClients: Readonly<Record<ClientName, Connect>> = {
  'redis 5': connectNodeRedisCluster('redis5'),
  'redis 6': connectNodeRedisCluster('redis'),
  'ioredis 5': connectIoRedisCluster('ioredis'),
  'ioredis 6': connectIoRedisCluster('ioredis6'),
};

function connectNodeRedis(name: 'redis5' | 'redis'): Connect {
  return async (url, { refusesWhileAway = false } = {}) => {
    const { createClient } = load(name) as NodeRedis;
    const refusing = { disableOfflineQueue: true, socket: { reconnectStrategy: RECONNECT_MS } };
    const client = createClient({ url, ...(refusesWhileAway && refusing) });
    await client.on('error', ignore).connect();
    return { sendCommand: (command) => client.sendCommand(command), close: () => client.destroy() };
  };
}

function connectIoRedis(name: 'ioredis' | 'ioredis6'): Connect {
  return async (url, { refusesWhileAway = false } = {}) => {
    const { Redis } = load(name) as IoRedis;
    const refusing = { enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => RECONNECT_MS };
    const client = new Redis(url, { lazyConnect: true, ...(refusesWhileAway && refusing) });
    await client.on('error', ignore).connect();
    return { sendCommand: (command) => client.call(...command), close: () => client.disconnect() };
  };
}

function connectNodeRedisCluster(name: 'redis5' | 'redis'): Connect {
  return async (url) => {
    const { createCluster } = load(name) as NodeRedis;
    const cluster = createCluster({ rootNodes: [{ url }] });
    await cluster.on('error', ignore).connect();
    return {
      sendCommand: (command, key) => cluster.sendCommand(key, false, [...command]),
      close: () => cluster.destroy(),
    };
  };
}

function connectIoRedisCluster(name: 'ioredis' | 'ioredis6'): Connect {
  return async (url) => {
    const { Cluster } = load(name) as IoRedis;
    const cluster = new Cluster([url], { lazyConnect: true });
    await cluster.on('error', ignore).connect();
    return { sendCommand: (command) => cluster.call(...command), close: () => cluster.disconnect() };
  };
}

/** Loaded on use, because all of them take a second. The used parts are the same in both versions. */
function load(name: string): unknown {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require(name);
}

/** Connection errors also reject the calls, which the tests observe. */
function ignore(): void {}
