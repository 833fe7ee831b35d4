import type { Exchange } from '../../../lib/exchange/exchange';
import { callStore } from '../../../lib/idempotency/call-store';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const withTime = (remainingMs?: number): Exchange => ({ remainingMs }) as unknown as Exchange;
const never = (): Promise<never> => new Promise(() => undefined);

/** What has become of a call after some time. */
async function after(ms: number, call: Promise<unknown>): Promise<string> {
  let state = 'waiting';
  call.then(
    () => (state = 'resolved'),
    (error: { code: string }) => (state = error.code),
  );
  await jest.advanceTimersByTimeAsync(ms);
  return state;
}

describe('callStore', () => {
  it.each<[remainingMs: number | undefined, limitMs: number]>([
    [undefined, 2000],
    [60_000, 2000],
    [4000, 2000],
    [1000, 500],
    [2, 1],
  ])('should wait for half of what is left until the deadline, and 2 s at most: %p', async (remainingMs, limitMs) => {
    expect(await after(limitMs - 1, callStore(withTime(remainingMs), never))).toBe('waiting');
    expect(await after(limitMs, callStore(withTime(remainingMs), never))).toBe('store.unavailable');
  });

  it.each<[string, () => unknown]>([
    ['at once', () => Promise.resolve(7)],
    ['as no promise', () => 7],
    ['in time', () => new Promise((resolve) => setTimeout(resolve, 1000, 7))],
  ])('should give what comes %s, and leave no timer behind', async (_name, call) => {
    const late = jest.fn();
    const result = callStore(withTime(), call as () => Promise<unknown>, late);
    await jest.advanceTimersByTimeAsync(1000);
    expect(await result).toBe(7);
    expect([jest.getTimerCount(), late.mock.calls]).toEqual([0, []]);
  });

  it('should give no negative time to a timer, of which Node would warn', async () => {
    const started = jest.spyOn(globalThis, 'setTimeout');
    expect(await after(0, callStore(withTime(-5), never))).toBe('store.unavailable');
    expect(started.mock.calls.map(([, ms]) => ms)).toEqual([0]);
  });

  it('should start none for what is answered at once', async () => {
    const started = jest.spyOn(globalThis, 'setTimeout');
    await callStore(withTime(), () => Promise.resolve(7));
    await callStore(withTime(), async () => {
      await Promise.resolve();
      return 7;
    });
    await Promise.resolve();
    expect(started).not.toHaveBeenCalled();
  });

  it.each<[string, () => Promise<never>]>([
    ['rejects', () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
  ])('should say why it cannot be used where the store %s', async (_name, call) => {
    await expect(callStore(withTime(), call)).rejects.toMatchObject({
      code: 'store.unavailable',
      cause: { message: 'down' },
    });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('should give to somebody else what comes late, and drop what fails late', async () => {
    const late = jest.fn();
    const slow = (settle: () => Promise<string>) => (): Promise<string> =>
      new Promise<void>((done) => setTimeout(done, 3000)).then(settle);
    const calls = [
      callStore(
        withTime(),
        slow(() => Promise.resolve('late')),
        late,
      ),
      callStore(
        withTime(),
        slow(() => Promise.reject(new Error('late'))),
        late,
      ),
      callStore(
        withTime(),
        slow(() => Promise.resolve('late')),
      ),
    ];
    for (const call of calls) expect(await after(2000, call)).toBe('store.unavailable');
    await jest.advanceTimersByTimeAsync(5000);
    expect(late.mock.calls).toEqual([['late']]);
  });
});
