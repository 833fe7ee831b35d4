import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { KiketRedisStore } from 'kiket-express/redis';
import { kiketShutdown } from 'kiket-express/shutdown';
import { createApp } from './app';
import { createCount } from './counts';
import { environment } from './environment';
import { onTermination } from './termination';

/** One of the processes that receive deliveries. */
const { secret, redisUrl, port, queueName } = environment;
const redis = new Redis(redisUrl, { maxRetriesPerRequest: 1 }).on('error', ({ message }) => console.error(message));
const queue = new Queue(queueName, { connection: redis });
const store = new KiketRedisStore({ sendCommand: (command) => redis.call(...command) });

const server = createApp(secret, store, queue, createCount(redis)).listen(port);

onTermination(async () => {
  await kiketShutdown(server);
  await queue.close();
  await redis.quit();
});
