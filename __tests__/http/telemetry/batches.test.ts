import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';
import { AN_HOUR_MS, countsOf, ended, events, eventsAt, extension, publish, report } from './reporting';
import { deliver } from '../../support/deliver';
import { describeNewest } from '../../support/express';
import { failingCallbacks } from '../../support/failing-callbacks';
import { startFake } from '../../support/fake-kiket';
import { startServer } from '../../support/loopback-server';
import { turns } from '../../support/turns';
import { until } from '../../support/until';

describe('records of telemetry', () => {
  it('should be sent when the interval has passed', async () => {
    const fake = await startFake();
    const reporter = report(fake, { intervalMs: 10 });
    ended('a', 'b');
    expect(countsOf(reporter)).toEqual({ sent: 0, dropped: 0, queued: 2 });
    await until(() => reporter.sent === 2);
    expect(eventsAt(fake)).toEqual(['a', 'b']);
  });

  it('should be sent when a batch is full, not before', async () => {
    const fake = await startFake();
    const reporter = report(fake, { batchSize: 3 });
    ended('a', 'b');
    await turns(20);
    expect(fake.requests).toEqual([]);
    ended('c');
    await until(() => reporter.sent === 3);
    expect(eventsAt(fake).sort()).toEqual(['a', 'b', 'c']);
  });

  it('should be sent when the queue is full, although a batch is larger', async () => {
    const reporter = report(await startFake(), { batchSize: 100, maxQueued: 2 });
    ended('a', 'b');
    await until(() => reporter.sent === 2);
    expect(reporter.dropped).toBe(0);
  });

  it('should be sent one by one, with one request each', async () => {
    const fake = await startFake();
    const reporter = report(fake);
    ended(...events(30));
    await reporter.flush();
    expect(eventsAt(fake).sort()).toEqual(events(30).sort());
    expect(countsOf(reporter)).toEqual({ sent: 30, dropped: 0, queued: 0 });
  });

  it('should wait for the next batch when they arrive while others are sent', async () => {
    const held: ServerResponse[] = [];
    const server = await startServer((_req, res) => void held.push(res));
    const reporter = report(server, { batchSize: 2 });
    ended('a', 'b');
    await until(() => held.length === 1);
    ended('c');
    for (let i = 1; i <= 2; i++) {
      await until(() => held.length === i);
      held.at(-1)!.writeHead(202).end();
    }
    await until(() => reporter.sent === 2);
    await turns(20);
    expect(countsOf(reporter)).toEqual({ sent: 2, dropped: 0, queued: 1 });
    ended('d');
    await until(() => held.length > 2);
  });

  it('should be sent four at a time after the first', async () => {
    const held: ServerResponse[] = [];
    const server = await startServer((_req, res) => void held.push(res));
    const reporter = report(server);
    ended(...events(9));
    const flushed = reporter.flush();
    for (const arrived of [1, 5, 9]) {
      await until(() => held.length >= arrived);
      await turns(20);
      expect(held).toHaveLength(arrived);
      expect(reporter.queued).toBe(9 - Math.max(0, arrived - 4));
      for (const res of held) if (!res.writableEnded) res.writeHead(202).end();
    }
    await flushed;
    expect(reporter.sent).toBe(9);
  });

  it('should be dropped when too many wait, the oldest first', async () => {
    const fake = await startFake();
    const dropped: unknown[] = [];
    const onDropped = ({ event }: { event: string }, error: unknown): void => void dropped.push([event, error]);
    const reporter = report(fake, { maxQueued: 3, onDropped });
    ended(...events(5));
    expect(countsOf(reporter)).toEqual({ sent: 0, dropped: 2, queued: 3 });
    // A delivery does not wait for the observer.
    expect(dropped).toEqual([]);
    await reporter.flush();
    expect(eventsAt(fake).sort()).toEqual(['e2', 'e3', 'e4']);
    expect(dropped).toEqual([
      ['e0', undefined],
      ['e1', undefined],
    ]);
  });

  it.each(failingCallbacks)('should not be affected by an onDropped that %s', async (_name, onDropped) => {
    const fake = await startFake();
    const reporter = report(fake, { maxQueued: 1, onDropped });
    fake.fail({ kind: 'status', status: 422, times: 1 });
    ended('a', 'b');
    await reporter.flush();
    ended('c');
    await reporter.flush();
    await turns();
    expect(countsOf(reporter)).toEqual({ sent: 1, dropped: 2, queued: 0 });
  });

  it('should be sent outside the async context of the delivery that triggered the batch', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const dispatcher = {
      request: () => {
        seen.push(storage.getStore());
        return Promise.reject(new Error('Refused'));
      },
    };
    const onDropped = (): void => void seen.push(storage.getStore());
    const reporter = report({ url: 'https://kiket.dev' }, { dispatcher, batchSize: 1, maxQueued: 1, onDropped });
    storage.run('delivery', () => ended('a', 'b'));
    await until(() => reporter.dropped === 2 && seen.length === 3);
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  it('should each have a timestamp of its own', async () => {
    const fake = await startFake();
    const reporter = report(fake);
    const before = Date.now();
    ended('a');
    await until(() => Date.now() > before + 1);
    publish({ event: 'b' });
    await reporter.flush();
    const [a, b] = (fake.telemetry as { timestamp: string }[]).map(({ timestamp }) => Date.parse(timestamp));
    expect(b).toBeGreaterThan(a!);
  });
});

describeNewest('a delivery', (express) => {
  it('should get its response while telemetry hangs', async () => {
    const fake = await startFake();
    fake.fail({ kind: 'hang' });
    const reporter = report(fake, { batchSize: 1, timeoutMs: AN_HOUR_MS });
    const app = extension(express);
    await deliver(app).expect(200);
    await until(() => fake.requests.length === 1);
    for (let i = 0; i < 5; i++) await deliver(app).expect(200);
    expect(fake.requests).toHaveLength(1);
    expect(reporter.sent + reporter.dropped).toBe(0);
    await fake.close();
    await until(() => reporter.dropped > 0);
  });

  it('should be reported by each of two reporters', async () => {
    const fakes = [await startFake(), await startFake()];
    const reporters = fakes.map((fake) => report(fake, { batchSize: 1 }));
    await deliver(extension(express)).expect(200);
    await until(() => reporters.every(({ sent }) => sent === 1));
    expect(fakes.map(({ telemetry }) => telemetry.length)).toEqual([1, 1]);
  });
});
