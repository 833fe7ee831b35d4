const { KIKET_WEBHOOK_SECRET = '', KIKET_API_KEY, REDIS_URL = 'redis://127.0.0.1:6379', PORT = '3000' } = process.env;

/** The configuration of all processes of the example. */
export const environment = {
  secret: KIKET_WEBHOOK_SECRET,
  apiKey: KIKET_API_KEY,
  redisUrl: REDIS_URL,
  port: Number(PORT),
  queueName: 'kiket',
};
