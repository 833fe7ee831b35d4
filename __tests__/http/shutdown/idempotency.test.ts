import express from 'express';
import { kiket, kiketHandler, type KiketMiddleware } from 'kiket-express';
import { kiketIdempotency, KiketMemoryStore } from 'kiket-express/idempotency';
import { kiketShutdown } from 'kiket-express/shutdown';
import { Connection } from '../../support/connection';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { signedRequest } from '../../support/signed-request';
import { until } from '../../support/until';
import { closingService, hold } from './closing-service';

const invocationId = 'inv-1';
const { head, body } = signedRequest(JSON.stringify(example), { invocationId });

/** Two replicas that share a store, of which the first is about to close. */
function replicas(deadlineMs: number) {
  const store = new KiketMemoryStore();
  const held = hold();
  const before = (): KiketMiddleware[] => [kiket({ secret, deadlineMs }), kiketIdempotency(store)];
  const first = kiketHandler(async () => {
    await held.wait();
    return { by: 'first' };
  });
  const second = kiketHandler(() => ({ by: 'second' }));
  return {
    held,
    server: closingService(express, before(), first).server,
    other: endpoint(express, [...before(), second]),
  };
}

describe('a delivery that other replicas may be sent again', () => {
  it('should get its late response there when its handler outlives the deadline but not the shutdown', async () => {
    const { held, server, other } = replicas(20);
    await Connection.to(server, async (connection) => {
      connection.write(head, body);
      expect(await connection.response()).toMatchObject({ status: 503 });
      let isOver = false;
      const shutdown = kiketShutdown(server).finally(() => (isOver = true));
      expect(await connection.response()).toBeUndefined();
      expect(isOver).toBe(false);
      held.letGo();
      expect(await shutdown).toEqual({ finished: true, released: 0 });
    });
    await deliver(other, example, { invocationId }).expect('Kiket-Replayed', 'true').expect(200, { by: 'first' });
  });

  it.each<[string, number, (connection: Connection) => unknown]>([
    ['is running within its deadline', 9000, () => undefined],
    ['has outlived the deadline', 20, (connection) => connection.response()],
    ['has been left by its sender', 9000, (connection) => connection.break()],
  ])('should run there at once when it %s at the limit of the shutdown', async (_what, deadlineMs, meanwhile) => {
    const { held, server, other } = replicas(deadlineMs);
    await Connection.to(server, async (connection) => {
      connection.write(head, body);
      await until(() => held.count === 1);
      await meanwhile(connection);
      await deliver(other, example, { invocationId }).expect(503);
      expect(await kiketShutdown(server, { timeoutMs: 10 })).toEqual({ finished: false, released: 1 });
    });
    await deliver(other, example, { invocationId }).expect(200, { by: 'second' });
    held.letGo();
    await deliver(other, example, { invocationId }).expect('Kiket-Replayed', 'true').expect(200, { by: 'second' });
  });
});
