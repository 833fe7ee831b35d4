import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis';
import { Cluster as Cluster6, Redis as Redis6 } from 'ioredis6';
import { createClient as createClient6, createCluster as createCluster6 } from 'redis';
import { createClient as createClient5, createCluster as createCluster5 } from 'redis5';
import type { KiketRedisStoreOptions } from '../../lib/idempotency/redis';

export interface RedisClient {
  readonly sendCommand: KiketRedisStoreOptions['sendCommand'];
  close(): void;
}

/** Connections that are lost are made again at once, and commands meanwhile refused. */
const RECONNECT_MS = 20;

/** One server, by its URL. */
export const clients: Readonly<Record<string, (url: string) => Promise<RedisClient>>> = {
  async 'redis 5'(url) {
    const client = createClient5({ url, disableOfflineQueue: true, socket: { reconnectStrategy: RECONNECT_MS } });
    await client.on('error', ignore).connect();
    return { sendCommand: (command) => client.sendCommand(command), close: () => client.destroy() };
  },
  async 'redis 6'(url) {
    const client = createClient6({ url, disableOfflineQueue: true, socket: { reconnectStrategy: RECONNECT_MS } });
    await client.on('error', ignore).connect();
    return { sendCommand: (command) => client.sendCommand(command), close: () => client.destroy() };
  },
  async 'ioredis 5'(url) {
    const client = new Redis5(url, ioredisOptions);
    await client.on('error', ignore).connect();
    return { sendCommand: (command) => client.call(...command), close: () => client.disconnect() };
  },
  async 'ioredis 6'(url) {
    const client = new Redis6(url, ioredisOptions);
    await client.on('error', ignore).connect();
    return { sendCommand: (command) => client.call(...command), close: () => client.disconnect() };
  },
};

/** A cluster, by the URL of one of its nodes. */
export const clusterClients: Readonly<Record<string, (url: string) => Promise<RedisClient>>> = {
  async 'redis 5'(url) {
    const cluster = createCluster5({ rootNodes: [{ url }] });
    await cluster.on('error', ignore).connect();
    return {
      sendCommand: (command, key) => cluster.sendCommand(key, false, [...command]),
      close: () => cluster.destroy(),
    };
  },
  async 'redis 6'(url) {
    const cluster = createCluster6({ rootNodes: [{ url }] });
    await cluster.on('error', ignore).connect();
    return {
      sendCommand: (command, key) => cluster.sendCommand(key, false, [...command]),
      close: () => cluster.destroy(),
    };
  },
  async 'ioredis 5'(url) {
    const cluster = new Cluster5([url], { lazyConnect: true });
    await cluster.on('error', ignore).connect();
    return { sendCommand: (command) => cluster.call(...command), close: () => cluster.disconnect() };
  },
  async 'ioredis 6'(url) {
    const cluster = new Cluster6([url], { lazyConnect: true });
    await cluster.on('error', ignore).connect();
    return { sendCommand: (command) => cluster.call(...command), close: () => cluster.disconnect() };
  },
};

const ioredisOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  retryStrategy: () => RECONNECT_MS,
};

/** What is wrong with the connection is seen by the calls. */
function ignore(): void {}
