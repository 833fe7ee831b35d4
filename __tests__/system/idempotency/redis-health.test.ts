import express from 'express';
import { kiketHealth } from 'kiket-express';
import { KiketRedisStore } from 'kiket-express/redis';
import request from 'supertest';
import { clients } from '../../support/redis-clients';
import { describeWithRedisServer, startRedis } from '../../support/redis-server';
import { until } from '../../support/until';

describeWithRedisServer('kiketHealth with a KiketRedisStore', () => {
  it('should respond with 503 while Redis is stopped or paused, and with 200 afterwards', async () => {
    const redis = await startRedis();
    const client = await clients['ioredis 5'](redis.url, { refusesWhileAway: true });
    const app = express().get(
      '/health',
      kiketHealth({ store: new KiketRedisStore({ sendCommand: (...args) => client.sendCommand(...args) }) }),
    );
    const untilStatus = (status: number): Promise<void> =>
      until(async () => (await request(app).get('/health')).status === status, `/health to be ${status}`);
    await request(app).get('/health').expect(200);
    expect(await redis.send('DBSIZE')).toBe(0);
    await redis.stop();
    await untilStatus(503);
    await redis.restart();
    await untilStatus(200);
    redis.pause();
    await request(app).get('/health').expect(503);
    redis.resume();
    await untilStatus(200);
    client.close();
  });
});
