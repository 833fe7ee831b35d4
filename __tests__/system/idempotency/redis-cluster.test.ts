import { describeStoreContract } from 'kiket-express/testing';
import { KiketRedisStore } from '../../../lib/idempotency/redis-store';
import { clusterClients, NEWEST_CLIENTS, type RedisClient } from '../../support/redis-clients';
import { describeWithRedisServer, startRedisCluster, type RedisCluster } from '../../support/redis-server';
import { expectEveryReply, freshKeys, LONG_MS } from '../../support/stores';

describeWithRedisServer('KiketRedisStore on a cluster of three nodes', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });

  describe.each(Object.entries(clusterClients))('by %s', (name, connect) => {
    const open: RedisClient[] = [];
    beforeAll(async () => {
      // Each replica connects to another node first.
      open.push(await connect(cluster.nodes[0]!.url), await connect(cluster.nodes[1]!.url));
    });
    afterAll(() => open.forEach((client) => client.close()));

    const replicas = (): [KiketRedisStore, KiketRedisStore] => {
      const [one, other] = open.map(({ sendCommand }) => new KiketRedisStore({ sendCommand }));
      return [one!, other!];
    };

    // Majors of a client can differ in sending a command and in parsing a reply.
    if (NEWEST_CLIENTS.includes(name)) describeStoreContract(name, replicas);
    else it('should understand every reply', () => expectEveryReply(replicas()[0]));

    it('should reach every node, also one without the scripts', async () => {
      await Promise.all(cluster.nodes.map((node) => node.send('SCRIPT', 'FLUSH')));
      const [one, other] = open.map(({ sendCommand }) => new KiketRedisStore({ sendCommand }));
      for (let i = 0; i < 60; i++) {
        const keys = freshKeys(2);
        expect(await one!.claim(keys, 'a', LONG_MS)).toEqual({ state: 'claimed' });
        expect(await other!.complete(keys, 'a', `response ${i}`, LONG_MS)).toBe(true);
        expect(await other!.claim(keys, 'b', LONG_MS)).toEqual({ state: 'recorded', record: `response ${i}` });
      }
      for (const node of cluster.nodes) {
        expect(String(await node.send('INFO', 'memory'))).toMatch(/number_of_cached_scripts:2/);
        expect(Number(await node.send('DBSIZE'))).toBeGreaterThan(0);
      }
    });
  });
});
