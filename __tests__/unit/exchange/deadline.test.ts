import { createDeadlineFor } from '../../../lib/exchange/deadline';

const hook = (event: string, timeoutMs?: number) => ({
  event,
  endpoint: undefined,
  timeoutMs,
  retries: undefined,
  isGuard: false,
});
const hooks = [
  hook('short', 5000),
  hook('long', 30_000),
  hook('guard', 8000),
  hook('unset'),
  hook('repeated', 6000),
  hook('repeated', 5000),
  hook('repeated', 8000),
  hook('repeated'),
];

describe('the default deadline', () => {
  it.each([
    ['nine tenths of the time-out of the hook', 'short', false, undefined, 4500],
    ['9 s for a hook with a longer time-out', 'long', false, undefined, 9000],
    ['nine tenths of the time-out of a guard hook', 'guard', true, 1000, 7200],
    ['nine tenths of that of the callback, for a hook without one', 'unset', false, 3000, 2700],
    ['nine tenths of that of the callback, for another event', 'other', false, 3000, 2700],
    ['9 s for a callback with a longer time-out', 'other', false, 30_000, 9000],
    ['9 s without a time-out', 'unset', false, undefined, 9000],
    ['7 s for a guard event without a time-out', 'unset', true, 30_000, 7000],
    ['nine tenths of that of the callback for a guard event, if it is shorter', 'unset', true, 3000, 2700],
    ['nine tenths of the shortest time-out of several hooks', 'repeated', false, 30_000, 4500],
    ['rounded down', 'other', false, 101, 90],
  ])('should be %s', (_name, event, isGuard, timeoutMs, deadlineMs) => {
    expect(createDeadlineFor({ hooks, timeoutMs })(event, isGuard)).toBe(deadlineMs);
  });

  it('should be 9 s without a manifest, and 7 s for a guard event', () => {
    expect(createDeadlineFor(undefined)('a', false)).toBe(9000);
    expect(createDeadlineFor(undefined)('a', true)).toBe(7000);
  });
});
