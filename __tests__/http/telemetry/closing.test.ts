import { execFile } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { KiketTelemetryOptions } from '../../../lib/telemetry';
import { AN_HOUR_MS, countsOf, ended, events, eventsAt, extension, report } from './reporting';
import { deliver } from '../../support/deliver';
import { describeNewest } from '../../support/express';
import { startFake } from '../../support/fake-kiket';
import { startServer } from '../../support/loopback-server';
import { turns } from '../../support/turns';
import { until } from '../../support/until';
import { userEnvironment } from '../../support/user-environment';
import { warningsOf } from '../../support/warnings';

const repository = resolve(__dirname, '../../..');
const deliveries = channel('kiket:delivery');

/** A fake clock that the test moves. Other asynchronous work, such as the network, is real. */
function stopTheClock(): void {
  jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'queueMicrotask', 'setImmediate', 'setInterval'] });
}

describe('flush', () => {
  it('should send the waiting records', async () => {
    const fake = await startFake();
    const reporter = report(fake);
    ended('a', 'b');
    await reporter.flush();
    expect(eventsAt(fake)).toEqual(['a', 'b']);
    ended('c');
    await reporter.flush();
    expect(countsOf(reporter)).toEqual({ sent: 3, dropped: 0, queued: 0 });
  });

  it('should resolve when no record waits', async () => {
    const fake = await startFake();
    await report(fake).flush();
    expect(fake.connections.accepted).toBe(0);
  });

  it('should send each record once, however often it is called', async () => {
    const fake = await startFake();
    const reporter = report(fake);
    ended(...events(10));
    await Promise.all(Array.from({ length: 5 }, () => reporter.flush()));
    expect(fake.requests).toHaveLength(10);
  });

  it('should wait for running requests', async () => {
    const fake = await startFake();
    const reporter = report(fake, { batchSize: 2 });
    ended('a', 'b');
    await until(() => fake.requests.length > 0);
    await reporter.flush();
    expect(countsOf(reporter)).toEqual({ sent: 2, dropped: 0, queued: 0 });
  });

  it('should resolve when its time is over, and leave the rest for later', async () => {
    stopTheClock();
    const held: ServerResponse[] = [];
    const server = await startServer((_req, res) => void held.push(res));
    const reporter = report(server, { timeoutMs: 200 });
    ended(...events(100));
    const flushed = reporter.flush();
    await until(() => held.length === 1);
    // So that the next request is still running when the time is over.
    jest.advanceTimersByTime(100);
    held[0]!.writeHead(202).end();
    await until(() => held.length === 5);
    jest.advanceTimersByTime(100);
    await flushed;
    expect(reporter.queued).toBe(99);
    for (const res of held.slice(1)) res.writeHead(202).end();
    await until(() => reporter.queued === 95);
    await turns(50);
    expect(held).toHaveLength(5);
  });

  it.each([{ kind: 'hang' }, { kind: 'status', status: 500 }] as const)(
    'should resolve when the API fails: %j',
    async (fault) => {
      const fake = await startFake();
      const reporter = report(fake, { timeoutMs: 100 });
      fake.fail(fault);
      ended('a');
      await reporter.flush();
      await until(() => reporter.dropped === 1);
    },
  );
});

describe('close', () => {
  it('should send the waiting records, and accept no more', async () => {
    const fake = await startFake();
    const reporter = report(fake);
    ended('a', 'b');
    const closed = reporter.close();
    ended('late');
    await closed;
    ended('later');
    await reporter.flush();
    expect(eventsAt(fake)).toEqual(['a', 'b']);
    expect(countsOf(reporter)).toEqual({ sent: 2, dropped: 0, queued: 0 });
  });

  it('should have one effect when it is called twice', async () => {
    const fake = await startFake();
    const reporter = report(fake);
    ended('a');
    await Promise.all([reporter.close(), reporter.close(), reporter.flush()]);
    await reporter.close();
    expect(fake.requests).toHaveLength(1);
  });

  it('should resolve within its time while the API hangs, and count the rest as dropped', async () => {
    const fake = await startFake();
    fake.fail({ kind: 'hang' });
    const dropped: string[] = [];
    const reporter = report(fake, { timeoutMs: 100, onDropped: ({ event }) => void dropped.push(event) });
    ended('a', 'b', 'c');
    await reporter.close();
    expect(countsOf(reporter)).toEqual({ sent: 0, dropped: 3, queued: 0 });
    expect(dropped).toEqual(['a', 'b', 'c']);
  });

  it('should abort running requests when its time is over, and start no other', async () => {
    stopTheClock();
    const held: ServerResponse[] = [];
    const server = await startServer((_req, res) => void held.push(res));
    const causes: unknown[] = [];
    const onDropped: KiketTelemetryOptions['onDropped'] = (_record, error) => {
      if (error !== undefined) causes.push((error.cause as Error).name);
    };
    const reporter = report(server, { batchSize: 100, timeoutMs: 1000, onDropped });
    ended(...events(100));
    jest.advanceTimersByTime(0);
    await until(() => held.length === 1);
    const closed = reporter.close();
    // So that the next request has more time than close.
    jest.advanceTimersByTime(1);
    held[0]!.writeHead(202).end();
    await until(() => held.length === 5);
    for (const res of held.slice(2)) res.writeHead(202).end();
    await turns(50);
    jest.advanceTimersByTime(999);
    await closed;
    expect(countsOf(reporter)).toEqual({ sent: 4, dropped: 96, queued: 0 });
    expect(causes).toEqual(['AbortError']);
    await turns(50);
    expect(held).toHaveLength(5);
  });

  it('should not wait for a dispatcher that ignores signals', async () => {
    const dispatcher = { request: () => new Promise(() => undefined) };
    const reporter = report({ url: 'https://kiket.dev' }, { dispatcher, timeoutMs: 50 });
    ended('a', 'b');
    await reporter.close();
    expect(countsOf(reporter)).toEqual({ sent: 0, dropped: 2, queued: 0 });
  });

  it('should drop records that wait for the rate limit', async () => {
    const fake = await startFake({ limit: 18 });
    const reporter = report(fake);
    ended(...events(15));
    await reporter.close();
    expect(countsOf(reporter)).toEqual({ sent: 13, dropped: 2, queued: 0 });
  });

  it('should leave no subscriber and no warning', async () => {
    const fake = await startFake();
    const others = deliveries.hasSubscribers;
    const warnings = await warningsOf(async () => {
      for (let i = 0; i < 20; i++) {
        const reporter = report(fake);
        ended(...events(8));
        await reporter.close();
      }
    });
    expect(others).toBe(false);
    expect(deliveries.hasSubscribers).toBe(false);
    expect(warnings).toEqual([]);
  });
});

describeNewest('a delivery that ends after close', (express) => {
  it('should get its response as before', async () => {
    const fake = await startFake();
    const reporter = report(fake, { batchSize: 1 });
    await reporter.close();
    await deliver(extension(express)).expect(200);
    expect(countsOf(reporter)).toEqual({ sent: 0, dropped: 0, queued: 0 });
    expect(fake.requests).toEqual([]);
  });
});

describe('a process with an open reporter', () => {
  const script = (options: object, then: string): string => `
    const { channel } = require('node:diagnostics_channel');
    const { kiketTelemetry } = require('./lib/telemetry');
    const reporter = kiketTelemetry({ apiKey: 'ext_fake', baseUrl: process.env.URL, ...${JSON.stringify(options)} });
    const record = { event: 'issue.created', eventVersion: 'v1', outcome: 'success', status: 200, durationMs: 1 };
    channel('kiket:delivery').publish(record);
    const told = () => console.log(JSON.stringify([reporter.sent, reporter.dropped, reporter.queued]));
    ${then}
  `;

  async function run(url: string, options: object, then: string): Promise<unknown> {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--require', 'tsx/cjs', '--eval', script(options, then)],
      { cwd: repository, env: { ...userEnvironment, URL: url } },
    );
    return JSON.parse(stdout);
  }

  const never = { intervalMs: AN_HOUR_MS };

  it('should end by itself while records wait', async () => {
    const fake = await startFake();
    expect(await run(fake.url, never, "process.on('exit', told);")).toEqual([0, 0, 1]);
    expect(fake.requests).toEqual([]);
  });

  it('should end by itself after records were sent', async () => {
    const fake = await startFake();
    expect(await run(fake.url, never, "reporter.flush(); process.on('exit', told);")).toEqual([1, 0, 0]);
  });

  it('should not end while close() is awaited', async () => {
    const fake = await startFake();
    fake.fail({ kind: 'hang' });
    const options = { ...never, timeoutMs: 300 };
    expect(await run(fake.url, options, 'reporter.close().then(told);')).toEqual([0, 1, 0]);
  });
});
