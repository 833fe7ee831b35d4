import { setTimeout as wait } from 'node:timers/promises';
import { inspect } from 'node:util';
import { KiketRedisStore } from '../../../lib/idempotency/redis-store';
import { clients, type RedisClient } from '../../support/redis-clients';
import { describeWithRedisServer, startRedis, type RedisServer } from '../../support/redis-server';
import { freshKeys, LONG_MS } from '../../support/stores';

const PATIENCE_MS = 4000;
const CLAIMED = { state: 'claimed' };

/** Makes a call reject at once without a connection. */
const REFUSING = { refusesWhileAway: true };

/** Resolves with the result of the first call that does not reject, because clients take a moment to reconnect. */
async function onceItResponds<T>(call: () => Promise<T>): Promise<T> {
  for (const startedAtMs = performance.now(); ; await wait(10)) {
    try {
      return await call();
    } catch (error) {
      if (performance.now() - startedAtMs > PATIENCE_MS) throw error;
    }
  }
}

/** Makes another server the replica of `server`, and resolves once it is in sync. */
async function replicate(server: RedisServer, replica: RedisServer): Promise<void> {
  await replica.send('REPLICAOF', '127.0.0.1', String(server.port));
  await onceItResponds(async () => {
    if (!String(await replica.send('INFO', 'replication')).includes('master_link_status:up'))
      throw new Error('No link');
  });
}

describeWithRedisServer('Redis', () => {
  describe.each(Object.entries(clients))('by %s', (_, connect) => {
    let server: RedisServer;
    let client: RedisClient;
    let store: KiketRedisStore;
    let sent: string[];

    /** Expects every call to reject while Redis does not accept it. */
    async function expectRejections(message?: string): Promise<void> {
      const keys = freshKeys(2);
      for (const call of [
        () => store.claim(keys, 'a', LONG_MS),
        () => store.renew(keys, 'a', LONG_MS),
        () => store.complete(keys, 'a', 'response', LONG_MS),
        () => store.release(keys, 'a'),
      ]) {
        await expect(call()).rejects.toThrow(message);
      }
    }

    beforeEach(async () => {
      server = await startRedis();
      client = await connect(server.url, REFUSING);
      sent = [];
      const sendCommand: RedisClient['sendCommand'] = (command, key) => {
        sent.push(command[0]);
        return client.sendCommand(command, key);
      };
      store = new KiketRedisStore({ sendCommand });
    });
    afterEach(async () => {
      // While the server is up: ioredis cannot be ended between two attempts to connect.
      client.close();
      await server.kill();
    });

    it('should make calls reject while it is stopped, and reply to them once it is back', async () => {
      const keys = freshKeys(2);
      await store.claim(keys, 'a', LONG_MS);
      await server.stop();
      await expectRejections();
      await server.restart();
      expect(await onceItResponds(() => store.claim(keys, 'b', LONG_MS))).toEqual(CLAIMED);
      expect(await store.complete(keys, 'a', 'late response', LONG_MS)).toBe(false);
      expect(await store.complete(keys, 'b', 'response', LONG_MS)).toBe(true);
    });

    it('should take one command for a call right after a restart', async () => {
      const keys = freshKeys(2);
      await store.claim(keys, 'a', LONG_MS);
      await server.restart();
      let calls = 0;
      const before = sent.length;
      await onceItResponds(() => (calls++, store.claim(keys, 'b', LONG_MS)));
      expect(sent.slice(before)).toEqual(Array(calls).fill('EVAL'));
    });

    it('should take one command for a call when the scripts were flushed during a claim', async () => {
      const keys = freshKeys(2);
      await store.claim(keys, 'a', LONG_MS);
      await server.send('SCRIPT', 'FLUSH');
      const before = sent.length;
      expect(await store.renew(keys, 'a', LONG_MS)).toBe(true);
      expect(await store.complete(keys, 'a', 'response', LONG_MS)).toBe(true);
      await store.release(keys, 'a');
      expect(await store.claim(keys, 'b', LONG_MS)).toEqual({ state: 'recorded', record: 'response' });
      expect(sent.length - before).toBe(4);
    });

    it('should make a call reject when it is killed during it, and reply to the next once it is back', async () => {
      server.pause();
      const call = expect(store.claim(freshKeys(2), 'a', LONG_MS)).rejects.toThrow();
      await wait(20);
      await server.kill();
      await call;
      await server.restart();
      expect(await onceItResponds(() => store.claim(freshKeys(2), 'b', LONG_MS))).toEqual(CLAIMED);
    });

    it('should reply after a pause', async () => {
      const keys = freshKeys(2);
      server.pause();
      let settled = false;
      const call = store.claim(keys, 'a', LONG_MS).finally(() => (settled = true));
      await wait(50);
      expect(settled).toBe(false);
      server.resume();
      expect(await call).toEqual(CLAIMED);
      expect(await store.complete(keys, 'a', 'response', LONG_MS)).toBe(true);
    });

    it('should refuse claims and records without free memory, and still return, renew and release existing ones', async () => {
      const [recorded, running, released] = [freshKeys(2), freshKeys(2), freshKeys(2)];
      await store.claim(recorded, 'a', LONG_MS);
      await store.complete(recorded, 'a', 'response', LONG_MS);
      await store.claim(running, 'a', LONG_MS);
      await store.claim(released, 'a', LONG_MS);
      await server.send('CONFIG', 'SET', 'maxmemory', '1');
      await expect(store.claim(freshKeys(2), 'b', LONG_MS)).rejects.toThrow('OOM');
      expect(await store.claim(recorded, 'b', LONG_MS)).toEqual({ state: 'recorded', record: 'response' });
      expect(await store.claim(running, 'b', LONG_MS)).toMatchObject({ state: 'held' });
      expect(await store.renew(running, 'a', LONG_MS)).toBe(true);
      await store.release(released, 'a');
      const error = await store.complete(running, 'a', 'the response', LONG_MS).catch((e: unknown) => e);
      expect(inspect(error)).toContain('OOM');
      expect(inspect(error, { depth: Infinity })).not.toContain('the response');
      await server.send('CONFIG', 'SET', 'maxmemory', '0');
      expect(await store.complete(running, 'a', 'the response', LONG_MS)).toBe(true);
      expect(await store.claim(released, 'b', LONG_MS)).toEqual(CLAIMED);
    });

    it('should refuse writes when it becomes a replica during a claim, and keep the claim', async () => {
      const keys = freshKeys(2);
      await store.claim(keys, 'a', LONG_MS);
      // No server listens there, so the state of Redis does not change.
      await server.send('REPLICAOF', '127.0.0.1', '1');
      await expect(store.claim(freshKeys(2), 'b', LONG_MS)).rejects.toThrow('READONLY');
      await expect(store.renew(keys, 'a', LONG_MS)).rejects.toThrow('READONLY');
      await expect(store.complete(keys, 'a', 'response', LONG_MS)).rejects.toThrow('READONLY');
      await expect(store.release(keys, 'a')).rejects.toThrow('READONLY');
      await server.send('REPLICAOF', 'NO', 'ONE');
      expect(await store.complete(keys, 'a', 'response', LONG_MS)).toBe(true);
    });
  });

  it('should keep what had reached the replica that takes over', async () => {
    const [server, replica] = [await startRedis(), await startRedis()];
    const [client, next] = [
      await clients['redis 6'](server.url, REFUSING),
      await clients['redis 6'](replica.url, REFUSING),
    ];
    const [store, afterwards] = [client, next].map(({ sendCommand }) => new KiketRedisStore({ sendCommand }));
    const [running, recorded, lost] = [freshKeys(2), freshKeys(2), freshKeys(2)];
    try {
      await replicate(server, replica);
      await store!.claim(running, 'a', LONG_MS);
      await store!.claim(recorded, 'a', LONG_MS);
      await store!.complete(recorded, 'a', 'response', LONG_MS);
      await onceItResponds(async () => {
        if ((await replica.send('DBSIZE')) !== 4) throw new Error('Not there yet');
      });
      await replica.send('REPLICAOF', 'NO', 'ONE');
      await store!.claim(lost, 'a', LONG_MS);
      await server.kill();
      expect(await afterwards!.claim(running, 'b', LONG_MS)).toMatchObject({ state: 'held' });
      expect(await afterwards!.complete(running, 'a', 'response', LONG_MS)).toBe(true);
      expect(await afterwards!.claim(recorded, 'b', LONG_MS)).toEqual({ state: 'recorded', record: 'response' });
      expect(await afterwards!.claim(lost, 'b', LONG_MS)).toEqual(CLAIMED);
      expect(await afterwards!.complete(lost, 'a', 'late response', LONG_MS)).toBe(false);
    } finally {
      client.close();
      next.close();
    }
  });

  it('should keep what it had confirmed before it was killed, when it is persistent', async () => {
    const server = await startRedis({ persistent: true });
    const client = await clients['ioredis 5'](server.url, REFUSING);
    const store = new KiketRedisStore({ sendCommand: client.sendCommand });
    const [running, recorded] = [freshKeys(2), freshKeys(2)];
    try {
      await store.claim(running, 'a', LONG_MS);
      await store.claim(recorded, 'a', LONG_MS);
      await store.complete(recorded, 'a', 'response', LONG_MS);
      await server.kill();
      await server.restart();
      expect(await onceItResponds(() => store.complete(running, 'a', 'response', LONG_MS))).toBe(true);
      expect(await store.claim(recorded, 'b', LONG_MS)).toEqual({ state: 'recorded', record: 'response' });
    } finally {
      client.close();
    }
  });
});
