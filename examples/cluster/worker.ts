import { Redis } from 'ioredis';
import { kiketWorker } from 'kiket-express/bullmq';
import { createCount } from './counts';
import { environment } from './environment';
import { onTermination } from './termination';

/** The process that runs the jobs of the queue. */
const { apiKey, redisUrl, queueName } = environment;
// BullMQ requires a connection that waits for Redis without a limit.
const redis = new Redis(redisUrl, { maxRetriesPerRequest: null }).on('error', ({ message }) => console.error(message));
const count = createCount(redis);

const worker = kiketWorker(queueName, ({ payload }) => count('jobs', payload.issue?.id), {
  connection: redis,
  api: { apiKey },
  concurrency: 10,
});

onTermination(async () => {
  await worker.close();
  await redis.quit();
});
