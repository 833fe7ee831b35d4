import { callStore } from '../../../lib/idempotency/call-store';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const withTime = (remainingMs?: number): { remainingMs: number | undefined } => ({ remainingMs });
const never = (): Promise<never> => new Promise(() => undefined);

/** The state of a call after some time. */
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
  ])(
    'should give up after half of the time until the deadline, at most 2 s: %p ms left',
    async (remainingMs, limitMs) => {
      expect(await after(limitMs - 1, callStore(withTime(remainingMs), never))).toBe('waiting');
      expect(await after(limitMs, callStore(withTime(remainingMs), never))).toBe('store.unavailable');
    },
  );

  it.each<[string, () => unknown]>([
    ['a resolved promise', () => Promise.resolve(7)],
    ['a value that is not a promise', () => 7],
    ['a promise that resolves in time', () => new Promise((resolve) => setTimeout(resolve, 1000, 7))],
  ])('should resolve with the value and leave no timer for %s', async (_name, call) => {
    const late = jest.fn();
    const result = callStore(withTime(), call as () => Promise<unknown>, late);
    await jest.advanceTimersByTimeAsync(1000);
    expect(await result).toBe(7);
    expect([jest.getTimerCount(), late.mock.calls]).toEqual([0, []]);
  });

  it('should start no timer with a negative delay, of which Node warns', async () => {
    const started = jest.spyOn(globalThis, 'setTimeout');
    expect(await after(0, callStore(withTime(-5), never))).toBe('store.unavailable');
    expect(started.mock.calls.map(([, ms]) => ms)).toEqual([0]);
  });

  it.each<[string, () => Promise<never>]>([
    ['rejects', () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
  ])('should reject with store.unavailable and the cause when the store %s', async (_name, call) => {
    await expect(callStore(withTime(), call)).rejects.toMatchObject({
      code: 'store.unavailable',
      cause: { message: 'down' },
    });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('should pass a late result to onLate, and ignore a late rejection', async () => {
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
