import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import express from 'express';
import { kiket, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { kiketShutdown } from 'kiket-express/shutdown';

/** A process with one running delivery at SIGTERM. Only kiketShutdown ends it. */
const terminated = once(process, 'SIGTERM');
const app = express();
app.post(
  '/kiket',
  kiket({ secret: process.env.KIKET_SECRET!, api: { allowedOrigins: [process.env.KIKET_URL!] } }),
  kiketHandler(async ({ api }) => {
    await api.rateLimit();
    console.log('running');
    await terminated;
    await turn();
    return { done: true };
  }),
  kiketErrorHandler(),
);

const server = app.listen(0, '127.0.0.1', () => console.log(JSON.stringify(server.address())));

void terminated.then(async () => {
  console.log(JSON.stringify(await kiketShutdown(server)));
  console.log(`left: ${process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length} timers`);
});
