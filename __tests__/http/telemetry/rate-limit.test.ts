import type { ServerResponse } from 'node:http';
import { createKiketApi } from 'kiket-express';
import { countsOf, ended, events, eventsAt, report } from './reporting';
import { startFake } from '../../support/fake-kiket';
import { startServer } from '../../support/loopback-server';
import { turns } from '../../support/turns';
import { until } from '../../support/until';

describe('the reporter at the rate limit', () => {
  it('should leave half of the limit, and wait for the next window', async () => {
    const fake = await startFake({ limit: 18 });
    const reporter = report(fake);
    ended(...events(15));
    await reporter.flush();
    // One, and twice four: of 18 there are 9 left, and after four more less than half.
    expect(countsOf(reporter)).toEqual({ sent: 13, dropped: 0, queued: 2 });
    await reporter.flush();
    expect(fake.requests).toHaveLength(13);
  });

  it('should continue in the next window', async () => {
    const fake = await startFake({ limit: 8, windowSeconds: 1 });
    const reporter = report(fake, { intervalMs: 1 });
    ended(...events(10));
    await until(() => reporter.sent === 10);
    expect(eventsAt(fake).sort()).toEqual(events(10));
    expect(fake.requests.map(({ status }) => status)).not.toContain(429);
  });

  it('should count the calls of handlers', async () => {
    const fake = await startFake({ limit: 10 });
    const api = createKiketApi({ baseUrl: fake.url, apiKey: 'ext_fake' });
    for (let i = 0; i < 6; i++) await api.rateLimit();
    const reporter = report(fake);
    ended(...events(5));
    await reporter.flush();
    expect(countsOf(reporter)).toEqual({ sent: 1, dropped: 0, queued: 4 });
  });

  it('should keep the newest records while it waits', async () => {
    const fake = await startFake({ limit: 2 });
    const reporter = report(fake, { batchSize: 1, maxQueued: 3 });
    ended('a');
    await until(() => reporter.sent === 1);
    ended('b');
    await until(() => reporter.sent === 2);
    ended(...events(5));
    await turns(20);
    expect(countsOf(reporter)).toEqual({ sent: 2, dropped: 2, queued: 3 });
  });

  it('should keep a record after 429, in its place', async () => {
    const fake = await startFake({ windowSeconds: 1 });
    const reporter = report(fake, { intervalMs: 1, maxQueued: 3 });
    fake.fail({ kind: 'rate-limit', retryAfter: 1, times: 1 });
    ended('a', 'b', 'c');
    await until(() => reporter.sent === 3);
    expect(eventsAt(fake)[0]).toBe('a');
    expect(reporter.dropped).toBe(0);
    expect(fake.requests).toHaveLength(4);
  });

  it('should keep several records after 429, in their order', async () => {
    const fake = await startFake({ windowSeconds: 1 });
    const reporter = report(fake, { intervalMs: 1 });
    ended('first');
    await until(() => reporter.sent === 1);
    fake.fail({ kind: 'rate-limit', retryAfter: 0, times: 4 });
    ended('a', 'b', 'c', 'd');
    await until(() => reporter.sent === 5);
    // After the pause the oldest is sent alone.
    expect(eventsAt(fake).slice(0, 2)).toEqual(['first', 'a']);
    expect(reporter.dropped).toBe(0);
    expect(fake.requests).toHaveLength(9);
  });

  it('should drop a record after 429 when others have filled the queue', async () => {
    const held: ServerResponse[] = [];
    const server = await startServer((_req, res) => void held.push(res));
    const dropped: unknown[] = [];
    const reporter = report(server, {
      batchSize: 1,
      maxQueued: 1,
      onDropped: ({ event }, error) => void dropped.push([event, error?.code]),
    });
    ended('a');
    await until(() => held.length === 1);
    ended('b');
    held[0]!.writeHead(429, { 'Retry-After': '60' }).end('{}');
    await until(() => reporter.dropped === 1);
    expect(dropped).toEqual([['a', 'api.rate_limited']]);
    expect(countsOf(reporter)).toEqual({ sent: 0, dropped: 1, queued: 1 });
  });

  it.each<[string, Record<string, string>]>([
    ['as long as Retry-After says', { 'Retry-After': '60' }],
    ['for the interval without Retry-After', {}],
    ['no longer than an hour, and not for no time', { 'Retry-After': '9999999999' }],
  ])('should wait after 429: %s', async (_name, headers) => {
    const server = await startServer((_req, res) => {
      res.writeHead(429, headers).end('{"error":"Rate limit exceeded"}');
    });
    const reporter = report(server, { batchSize: 1 });
    ended('a');
    await until(() => server.counts.requests === 1);
    await until(() => reporter.queued === 1);
    ended('b');
    // Not even on request: the pause that the API has asked for takes precedence.
    await reporter.flush();
    await turns(20);
    expect(server.counts.requests).toBe(1);
    expect(countsOf(reporter)).toEqual({ sent: 0, dropped: 0, queued: 2 });
  });

  it('should continue when Retry-After has passed, not before', async () => {
    const atMs: number[] = [];
    const server = await startServer((_req, res) => {
      atMs.push(performance.now());
      if (atMs.length === 1) res.writeHead(429, { 'Retry-After': '1' }).end('{}');
      else res.writeHead(202).end();
    });
    const reporter = report(server, { intervalMs: 1 });
    ended('a', 'b', 'c');
    await until(() => reporter.sent === 3);
    expect(atMs[1]! - atMs[0]!).toBeGreaterThanOrEqual(1000);
    expect(reporter.dropped).toBe(0);
  });
});
