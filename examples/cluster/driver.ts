import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { signDelivery } from 'kiket-express/testing';
import { readCounts } from './counts';
import { environment } from './environment';

// Delivers as the platform does, but each delivery five times at once, and counts the results. Exits with 1 when a delivery
// was handled twice, or not at all.

const DELIVERIES = 200;
const COPIES = 5;
const AT_A_TIME = 32;

const { secret, port, redisUrl } = environment;
const redis = new Redis(redisUrl);
let attempts = 0;
let replays = 0;
const processes = new Set<unknown>();

/** Sends one attempt on its own connection, to any of the processes. Returns 0 for a network error. */
async function send({ headers, body }: ReturnType<typeof signDelivery>): Promise<number> {
  attempts++;
  return new Promise((resolve) => {
    const options = { host: 'localhost', port, path: '/kiket', method: 'POST', headers, agent: false };
    request(options, (response) => {
      processes.add(response.headers['x-process']);
      if (response.headers['kiket-replayed'] === 'true') replays++;
      void text(response).then(
        () => resolve(response.statusCode!),
        () => resolve(0),
      );
    })
      .on('error', () => resolve(0))
      .end(body);
  });
}

/** Sends until the response is final, each time with another token. */
async function deliver(event: string, id: number): Promise<number> {
  for (;;) {
    const payload = { event, issue: { id, project_id: 27 }, authentication: { runtime_token: randomUUID() } };
    const status = await send(signDelivery(payload, { secret, invocationId: `example-${id}`, organizationId: 12 }));
    if (status !== 0 && status !== 429 && status < 500) return status;
    await wait(Math.random() * 100);
  }
}

// Unique to this run.
const firstId = Date.now() * 1000;
const issueIds = Array.from({ length: DELIVERIES }, (_, i) => firstId + i);
const isLeftToWorker = (id: number): boolean => id % 2 === 1;
const eventOf = (id: number): string => (isLeftToWorker(id) ? 'workflow.sla_status' : 'issue.created');

const sendings = issueIds
  .flatMap((id, index) => Array.from({ length: COPIES }, () => ({ id, place: index + Math.random() * 20 })))
  .sort((a, b) => a.place - b.place);
const answers = new Map<number, number>();

async function sendNext(): Promise<void> {
  for (let sending; (sending = sendings.shift()) !== undefined;) {
    const status = await deliver(eventOf(sending.id), sending.id);
    answers.set(status, (answers.get(status) ?? 0) + 1);
  }
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

async function main(): Promise<void> {
  await Promise.all(Array.from({ length: AT_A_TIME }, sendNext));

  const [left, done] = [issueIds.filter(isLeftToWorker), issueIds.filter((id) => !isLeftToWorker(id))];
  const runs = await readCounts(redis, 'runs', done);
  let jobs = await readCounts(redis, 'jobs', left);
  for (let looks = 0; looks < 600 && jobs.includes(0); looks++) {
    await wait(100);
    jobs = await readCounts(redis, 'jobs', left);
  }
  await redis.quit();

  console.log(
    `deliveries sent   ${DELIVERIES}, each ${COPIES} times, to ${processes.size} processes, in ${attempts} attempts`,
  );
  console.log(
    `answers           ${[...answers]
      .map(([status, count]) => `${count} with ${status}`)
      .sort()
      .join(', ')}`,
  );
  console.log(`runs              ${sum(runs)} for ${done.length} deliveries of issue.created`);
  console.log(`jobs done         ${sum(jobs)} for ${left.length} deliveries of workflow.sla_status`);
  console.log(`replays           ${replays}`);
  const wrong = [...runs, ...jobs].filter((count) => count !== 1).length;
  console.log(wrong === 0 ? 'Everything was done once.' : `${wrong} deliveries were not done once.`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

void main();
