import { describeWithRedis, startRedis, type RedisServer } from '../../support/redis-server';
import { describeQueueContract } from '../queue/contract';
import { openTestQueue } from './queues';

describeWithRedis('BullMQ', () => {
  let redis: RedisServer;
  beforeAll(async () => void (redis = await startRedis()));

  describeQueueContract(() => Promise.resolve(openTestQueue(redis)));
});
