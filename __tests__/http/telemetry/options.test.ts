import { channel } from 'node:diagnostics_channel';
import { kiketTelemetry, type KiketTelemetryOptions } from '../../../lib/telemetry';
import { openReporters } from './open-reporters';
import { ended, report } from './reporting';
import { startFake } from '../../support/fake-kiket';

const counts = { good: [1, 10_000], bad: [0, 1.5, 10_001] };
const times = { good: [1, 1.5, 3_600_000], bad: [0.5, 3_600_001] };

/** Accepted and rejected values of every option. */
const options: Record<string, { readonly good: unknown[]; readonly bad: unknown[] }> = {
  apiKey: { good: ['ext_x'], bad: [undefined, null, '', ' ', 'ext_canary\n', 'canary key', 42, {}, ['ext_canary']] },
  baseUrl: { good: [undefined, 'http://localhost:3000'], bad: [null, 'http://canary.example'] },
  dispatcher: { good: [undefined, { request: () => undefined }], bad: [null, {}] },
  batchSize: { good: [undefined, ...counts.good], bad: counts.bad },
  maxQueued: { good: [undefined, ...counts.good], bad: counts.bad },
  intervalMs: { good: [undefined, ...times.good], bad: times.bad },
  timeoutMs: { good: [undefined, ...times.good], bad: times.bad },
  onDropped: { good: [undefined, () => undefined], bad: [null, {}] },
};

const rows = (kind: 'good' | 'bad') =>
  Object.entries(options).flatMap(([name, option]) => option[kind].map((value) => ({ name, value })));

function start(given: unknown): void {
  openReporters.push(kiketTelemetry(given as KiketTelemetryOptions));
}

describe('the start-up check of kiketTelemetry', () => {
  it.each(rows('good'))('should accept $name: $value', ({ name, value }) => {
    expect(() => start({ apiKey: 'ext_x', [name]: value })).not.toThrow();
  });

  it.each(rows('bad'))('should throw a TypeError for $name: $value', ({ name, value }) => {
    const attempt = (): void => start({ apiKey: 'ext_x', [name]: value });
    expect(attempt).toThrow(TypeError);
    expect(attempt).toThrow(new RegExp(`^kiketTelemetry: ${name} must be `));
    // No part of a string, which may be a secret.
    expect(attempt).not.toThrow(/canary/);
    expect(channel('kiket:delivery').hasSubscribers).toBe(false);
  });

  it.each([undefined, null, 'ext_canary', 42, []])('should throw a TypeError for options that are %j', (given) => {
    expect(() => start(given)).toThrow(/^kiketTelemetry: options must be an object, but is (?!.*canary)/);
  });

  it('should not follow later changes of the options', async () => {
    const fake = await startFake();
    const given = { maxQueued: 2 };
    const reporter = report(fake, given);
    given.maxQueued = 1;
    ended('a', 'b');
    await reporter.flush();
    expect(reporter.sent).toBe(2);
  });

  it('should accept frozen options', () => {
    expect(() => start(Object.freeze({ apiKey: 'ext_x' }))).not.toThrow();
  });

  it('should forbid in types the values that are refused at start-up', () => {
    const misuse: (() => unknown)[] = [
      // @ts-expect-error a key is needed
      () => kiketTelemetry({}),
      // @ts-expect-error options are needed
      () => kiketTelemetry(),
      // @ts-expect-error a variable of the environment may be missing
      () => kiketTelemetry({ apiKey: process.env['NO_SUCH_KEY'] }),
      // @ts-expect-error a number
      () => kiketTelemetry({ apiKey: 'ext_x', batchSize: '50' }),
      // @ts-expect-error a function
      () => kiketTelemetry({ apiKey: 'ext_x', onDropped: true }),
    ];
    for (const attempt of misuse) expect(attempt).toThrow(TypeError);
  });
});
