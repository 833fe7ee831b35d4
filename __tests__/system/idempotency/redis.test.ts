import { randomUUID } from 'node:crypto';
import { describeStoreContract } from 'kiket-express/testing';
import { KiketRedisStore } from '../../../lib/idempotency/redis-store';
import { clients, NEWEST_CLIENTS, type RedisClient } from '../../support/redis-clients';
import { describeWithRedis, startRedis, type RedisServer } from '../../support/redis-server';
import { expectEveryReply, freshKeys, LONG_MS } from '../../support/stores';

describeWithRedis('KiketRedisStore on one server', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });

  describe.each(Object.entries(clients))('by %s', (name, connect) => {
    const open: RedisClient[] = [];
    const prefix = `kiket-${randomUUID()}:`;
    beforeAll(async () => {
      open.push(await connect(server.url), await connect(server.url));
    });
    afterAll(() => open.forEach((client) => client.close()));

    const replicas = (): [KiketRedisStore, KiketRedisStore] => {
      const [one, other] = open.map(({ sendCommand }) => new KiketRedisStore({ sendCommand, prefix }));
      return [one!, other!];
    };

    const unreachable = async (): Promise<KiketRedisStore> => {
      const client = await connect(server.url);
      client.close();
      return new KiketRedisStore({ sendCommand: client.sendCommand });
    };

    // Majors of a client can differ in sending a command and in parsing a reply.
    if (NEWEST_CLIENTS.includes(name)) describeStoreContract(name, replicas, { unreachable });
    else it('should understand every reply', () => expectEveryReply(replicas()[0]));

    it('should take one round trip for a claim and one for its completion', async () => {
      const sent: string[] = [];
      const sendCommand: RedisClient['sendCommand'] = (command, key) => {
        sent.push(command[0]);
        return open[0]!.sendCommand(command, key);
      };
      const store = new KiketRedisStore({ sendCommand, prefix });
      const before = await runsOf(server);
      for (let i = 0; i < 5; i++) {
        const keys = freshKeys(2);
        expect(await store.claim(keys, 'a', LONG_MS)).toEqual({ state: 'claimed' });
        expect(await store.complete(keys, 'a', 'response', LONG_MS)).toBe(true);
      }
      expect(sent).toEqual(Array(10).fill('EVAL'));
      expect((await runsOf(server)) - before).toBe(10);
    });

    it('should keep only keys that expire and have its prefix', async () => {
      const mark = randomUUID();
      const [client] = open;
      const store = new KiketRedisStore({ sendCommand: client!.sendCommand, prefix: `${mark}:` });
      const [claimed, recorded] = [freshKeys(2), freshKeys(2)];
      await store.claim(claimed, 'a', LONG_MS);
      await store.claim(recorded, 'a', LONG_MS);
      await store.complete(recorded, 'a', mark, LONG_MS * 2);
      for (const [keys, ttlMs] of [
        [claimed, LONG_MS],
        [recorded, LONG_MS * 2],
      ] as const) {
        for (const key of keys) {
          const leftMs = Number(await server.send('PTTL', `${mark}:${key}`));
          expect(leftMs).toBeGreaterThan(ttlMs - LONG_MS / 2);
          expect(leftMs).toBeLessThanOrEqual(ttlMs);
        }
      }
      const names = (await server.send('KEYS', `*${mark}*`)) as string[];
      expect(names.sort()).toEqual([...claimed, ...recorded].map((key) => `${mark}:${key}`).sort());
    });
  });

  describe('its keys', () => {
    let client: RedisClient;
    beforeAll(async () => {
      client = await clients['redis 6'](server.url);
    });
    afterAll(() => client.close());

    function storeOf(prefix?: string): KiketRedisStore {
      return new KiketRedisStore({ sendCommand: client.sendCommand, prefix });
    }

    it('should begin with kiket: when no prefix is given', async () => {
      const keys = freshKeys(1);
      await storeOf().claim(keys, 'a', LONG_MS);
      expect(await server.send('EXISTS', `kiket:${keys[0]}`)).toBe(1);
      await storeOf().release(keys, 'a');
      expect(await server.send('EXISTS', `kiket:${keys[0]}`)).toBe(0);
    });

    it('should not be visible under another prefix', async () => {
      const keys = freshKeys(2);
      expect(await storeOf('one:').claim(keys, 'a', LONG_MS)).toEqual({ state: 'claimed' });
      expect(await storeOf('other:').claim(keys, 'b', LONG_MS)).toEqual({ state: 'claimed' });
      expect(await storeOf('').claim(keys, 'c', LONG_MS)).toEqual({ state: 'claimed' });
    });

    it('should count as held when the expiry of a claim was removed', async () => {
      const keys = freshKeys(2);
      await storeOf().claim(keys, 'a', LONG_MS);
      for (const key of keys) await server.send('PERSIST', `kiket:${key}`);
      expect(await storeOf().claim(keys, 'b', LONG_MS)).toEqual({ state: 'held', retryAfterMs: 1 });
      await storeOf().release(keys, 'a');
    });

    it('should make a call reject when another program uses them', async () => {
      const [key] = freshKeys(1);
      await server.send('LPUSH', `kiket:${key}`, 'not ours');
      await expect(storeOf().claim([key], 'a', LONG_MS)).rejects.toThrow('WRONGTYPE');
    });
  });
});

/** Returns the number of EVAL commands that the server has run since its start. */
async function runsOf(server: RedisServer): Promise<number> {
  const stats = String(await server.send('INFO', 'commandstats'));
  return Number(/cmdstat_eval:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}
