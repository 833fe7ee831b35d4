import { systemClock } from '../../../lib/simulator/clock';

const DAY_MS = 86_400_000;

describe('systemClock', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it.each([1, DAY_MS, DAY_MS + 1, 60 * DAY_MS])('should call a function after %d ms, once', (ms) => {
    const run = jest.fn();
    systemClock.after(ms, run);
    jest.advanceTimersByTime(ms - 1);
    expect(run).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('should call a function at once whose time has passed', () => {
    const run = jest.fn();
    systemClock.after(-5, run);
    jest.advanceTimersByTime(0);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it.each([0, 1.5 * DAY_MS])('should not call a function that was stopped after %d ms', (ms) => {
    const run = jest.fn();
    const stop = systemClock.after(3 * DAY_MS, run);
    jest.advanceTimersByTime(ms);
    stop();
    jest.advanceTimersByTime(5 * DAY_MS);
    expect(run).not.toHaveBeenCalled();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('should tell the time of the machine', () => {
    jest.setSystemTime(42);
    expect(systemClock.now()).toBe(42);
  });
});
