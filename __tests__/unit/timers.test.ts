import { setTimeout as wait } from 'node:timers/promises';
import { withTimeout } from '../../lib/timers';
import { originalProcess } from '../support/warnings';

const never = new Promise<never>(() => undefined);
const failure = new Error('failure');

describe('withTimeout', () => {
  afterEach(() => void jest.useRealTimers());

  it('should settle as the work does when that is in time', async () => {
    const onTimeout = jest.fn();
    await expect(withTimeout(wait(1, 'done'), 1000, onTimeout)).resolves.toBe('done');
    await expect(withTimeout(Promise.reject(failure), 1000, onTimeout)).rejects.toBe(failure);
    expect(onTimeout).not.toHaveBeenCalled();
  });

  it.each<[string, () => unknown]>([
    ['returns', () => 'late'],
    ['resolves to', () => Promise.resolve('late')],
  ])('should resolve to what onTimeout %s when the work takes longer', async (_name, onTimeout) => {
    await expect(withTimeout(never, 5, onTimeout)).resolves.toBe('late');
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw failure;
      },
    ],
    ['rejects with', () => Promise.reject(failure)],
  ])('should reject with what onTimeout %s', async (_name, onTimeout) => {
    await expect(withTimeout(never, 5, onTimeout)).rejects.toBe(failure);
  });

  it('should ignore a rejection that comes after the timeout', async () => {
    const unhandled = jest.fn();
    originalProcess.on('unhandledRejection', unhandled);
    try {
      const work = wait(20).then(() => Promise.reject(failure));
      await expect(withTimeout(work, 5, () => 'late')).resolves.toBe('late');
      await wait(40);
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      originalProcess.off('unhandledRejection', unhandled);
    }
  });

  it('should leave no timer behind', async () => {
    jest.useFakeTimers();
    await withTimeout(Promise.resolve(), 1000, () => undefined);
    await expect(withTimeout(Promise.reject(failure), 1000, () => undefined)).rejects.toBe(failure);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('should use fake timers', async () => {
    jest.useFakeTimers();
    const result = withTimeout(never, 1000, () => 'late', { unref: true });
    await jest.advanceTimersByTimeAsync(999);
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    await expect(result).resolves.toBe('late');
  });
});
