import { setTimeout as wait } from 'node:timers/promises';
import { Attempt } from '../../../lib/queue/attempt';
import { warningsOf } from '../../support/warnings';
import { jobData } from '../../system/bullmq/queues';

describe('an attempt', () => {
  it('should not abort the signal of a job that has ended', async () => {
    const attempt = new Attempt(20);
    await attempt.run(() => 'done', jobData);
    await wait(60);
    expect(attempt.signal.aborted).toBe(false);
  });

  it('should allow many listeners of its signal', async () => {
    const { signal } = new Attempt(1000);
    const listen = (): Promise<void> => {
      for (let i = 0; i < 20; i++) signal.addEventListener('abort', () => {});
      return Promise.resolve();
    };
    expect(await warningsOf(listen)).toEqual([]);
  });

  it('should return its remaining time', async () => {
    const attempt = new Attempt(1000);
    expect(attempt.remainingMs).toBeLessThanOrEqual(1000);
    await wait(10);
    expect(attempt.remainingMs).toBeLessThan(1000);
  });
});
