import { KiketApiError } from 'kiket-express';
import type { FakeKiket, FakeKiketFault } from 'kiket-express/testing';
import { startBreakingFake, type Passage } from '../../support/breaking-fake';
import { countsOf, ended, events, eventsAt, extension, report, TELEMETRY } from './reporting';
import { deliver } from '../../support/deliver';
import { describeNewest } from '../../support/express';
import { startFake } from '../../support/fake-kiket';
import { closedOrigin, startServer } from '../../support/loopback-server';
import { turns } from '../../support/turns';
import { until } from '../../support/until';

const elsewhere = 'http://127.0.0.1:9/elsewhere';

/** All failures of a report except the rate limit and broken connections. */
const faults: Readonly<Record<string, FakeKiketFault>> = {
  'responds too late': { kind: 'latency', ms: 60_000 },
  hangs: { kind: 'hang' },
  'responds with truncated JSON': {
    kind: 'status',
    status: 200,
    body: '{"status":"acc',
    contentType: 'application/json',
  },
  'responds with a page of HTML': { kind: 'status', status: 200, body: '<!doctype html><title>Kiket</title>' },
  'responds with more than 10 MB': { kind: 'status', status: 200, body: 'x'.repeat(10 * 1024 * 1024 + 1) },
  redirects: { kind: 'status', status: 302, headers: { Location: elsewhere } },
  'redirects for good': { kind: 'status', status: 308, headers: { Location: elsewhere } },
  ...Object.fromEntries(
    [400, 401, 403, 404, 408, 422, 500, 501, 502, 503, 504].map((status) => [
      `responds with ${status}`,
      { kind: 'status', status },
    ]),
  ),
};

/** Faults that the time limit of the reporter ends. */
const endless = new Set<FakeKiketFault['kind']>(['hang', 'latency']);

describeNewest('a delivery', (express) => {
  /** Delivers three times while telemetry fails, then once after `repair`. */
  async function outlive(fake: FakeKiket, repair: () => void, timeoutMs = 2000): Promise<void> {
    const reporter = report(fake, { intervalMs: 1, timeoutMs });
    const app = extension(express);
    await deliver(app).expect(200);
    await until(() => reporter.dropped === 1);
    await Promise.all([deliver(app).expect(200), deliver(app).expect(200)]);
    await until(() => reporter.dropped === 3);
    expect(fake.requests).toHaveLength(3);
    repair();
    await deliver(app).expect(200);
    await until(() => reporter.sent === 1);
    expect(countsOf(reporter)).toEqual({ sent: 1, dropped: 3, queued: 0 });
  }

  it.each(Object.entries(faults))(
    'should get its response when telemetry %s, and be reported afterwards',
    async (...row) => {
      const [, fault] = row;
      const fake = await startFake();
      const switchOff = fake.fail({ ...fault, on: `POST ${TELEMETRY}` });
      await outlive(fake, switchOff, endless.has(fault.kind) ? 400 : undefined);
    },
  );

  it.each<Passage>(['nothing', 'half'])(
    'should get its response when %s of the response of telemetry arrives, and be reported afterwards',
    async (passage) => {
      await outlive(await startBreakingFake([passage, passage, passage]), () => undefined);
    },
  );

  it('should get its response when no server listens for telemetry', async () => {
    const reporter = report({ url: await closedOrigin() }, { intervalMs: 1 });
    const app = extension(express);
    for (let i = 1; i <= 3; i++) {
      await deliver(app).expect(200);
      await until(() => reporter.dropped === i);
    }
    expect(countsOf(reporter)).toEqual({ sent: 0, dropped: 3, queued: 0 });
  });
});

describe('a record that is refused', () => {
  it.each([400, 401, 403, 404, 422])('should not keep the others back: %i', async (status) => {
    const fake = await startFake();
    const dropped: unknown[] = [];
    const onDropped = ({ event }: { event: string }, error: unknown): void => void dropped.push(event, error);
    const reporter = report(fake, { onDropped });
    fake.fail({ kind: 'status', status, times: 1 });
    ended(...events(10));
    await reporter.flush();
    expect(countsOf(reporter)).toEqual({ sent: 9, dropped: 1, queued: 0 });
    expect(dropped).toEqual(['e0', expect.any(KiketApiError)]);
    expect(dropped[1]).toMatchObject({ apiStatus: status });
  });

  it('should each be reported when the key is wrong, without the key', async () => {
    const fake = await startFake();
    const errors: KiketApiError[] = [];
    const reporter = report(fake, { apiKey: 'ext_canary', onDropped: (_record, error) => void errors.push(error!) });
    ended(...events(6));
    await reporter.flush();
    expect(errors.map(({ apiStatus }) => apiStatus)).toEqual([401, 401, 401, 401, 401, 401]);
    expect(JSON.stringify(errors)).not.toContain('canary');
  });
});

describe('telemetry that is down', () => {
  it('should receive one record at a time until it is up', async () => {
    const fake = await startFake();
    const reporter = report(fake);
    const switchOff = fake.fail({ kind: 'status', status: 500 });
    ended(...events(10));
    for (let asked = 1; asked <= 3; asked++) {
      await reporter.flush();
      expect(countsOf(reporter)).toEqual({ sent: 0, dropped: asked, queued: 10 - asked });
    }
    switchOff();
    await reporter.flush();
    expect(countsOf(reporter)).toEqual({ sent: 7, dropped: 3, queued: 0 });
    expect(eventsAt(fake)[0]).toBe('e3');
  });

  it('should receive records as before when only one of several has failed', async () => {
    const fake = await startFake();
    const reporter = report(fake);
    ended('first');
    await reporter.flush();
    fake.fail({ kind: 'status', status: 500, times: 3 });
    ended(...events(10));
    await reporter.flush();
    expect(countsOf(reporter)).toEqual({ sent: 8, dropped: 3, queued: 0 });
  });

  it('should not receive the next record at once', async () => {
    const fake = await startFake();
    const reporter = report(fake, { batchSize: 1 });
    fake.fail({ kind: 'status', status: 500, times: 1 });
    ended('a');
    await until(() => reporter.dropped === 1);
    ended(...events(5));
    await turns(20);
    expect(fake.requests).toHaveLength(1);
    expect(reporter.queued).toBe(5);
    await reporter.flush();
    expect(reporter.sent).toBe(5);
  });

  it('should receive nothing during the Retry-After of a 503, even on flush()', async () => {
    const fake = await startFake();
    const reporter = report(fake);
    fake.fail({ kind: 'status', status: 503, headers: { 'Retry-After': '60' }, times: 1 });
    ended('a', 'b');
    await reporter.flush();
    await reporter.flush();
    expect(fake.requests).toHaveLength(1);
    expect(countsOf(reporter)).toEqual({ sent: 0, dropped: 1, queued: 1 });
  });

  it('should lose the oldest waiting records', async () => {
    const fake = await startFake();
    const reporter = report(fake, { batchSize: 1, maxQueued: 3 });
    fake.fail({ kind: 'status', status: 500, times: 1 });
    ended('a');
    await until(() => reporter.dropped === 1);
    ended(...events(5));
    expect(countsOf(reporter)).toEqual({ sent: 0, dropped: 3, queued: 3 });
    await reporter.flush();
    expect(eventsAt(fake).sort()).toEqual(['e2', 'e3', 'e4']);
  });

  it('should not follow a redirect', async () => {
    const target = await startServer((_req, res) => void res.end());
    const fake = await startFake();
    fake.fail({ kind: 'status', status: 307, headers: { Location: `${target.url}/` } });
    const reporter = report(fake);
    ended('a');
    await reporter.flush();
    expect(countsOf(reporter)).toEqual({ sent: 0, dropped: 1, queued: 0 });
    expect(target.counts.connections).toBe(0);
  });
});
