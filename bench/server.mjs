// Runs one receiver, in a process of its own: node server.mjs <id>. Its parent asks for its usage.
import { createServer } from 'node:http';

const { default: listener } = await import(`./receivers/${process.argv[2]}.mjs`);

const server = createServer(listener).listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ cpuMicros: user + system, rssBytes: process.memoryUsage.rss() });
});
process.on('disconnect', () => process.exit());
