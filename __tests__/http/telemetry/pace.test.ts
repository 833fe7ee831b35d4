import { KiketApiError } from 'kiket-express';
import { Pace } from '../../../lib/telemetry/pace';

const down = KiketApiError.because('api.unavailable', 'x', { apiStatus: 500 });
const broken = KiketApiError.because('api.unavailable', 'x');
const refused = KiketApiError.because('api.refused', 'x', { apiStatus: 422 });
const limited = (retryAfterSeconds?: number): KiketApiError =>
  KiketApiError.because('api.rate_limited', 'x', { apiStatus: 429, retryAfterSeconds });

describe('the pace of telemetry', () => {
  const clock = jest.spyOn(performance, 'now');
  const now = 1_000_000;
  beforeEach(() => clock.mockReturnValue(now));
  afterAll(() => clock.mockRestore());

  function pauses(pace: Pace, outcomes: (KiketApiError | undefined)[][]): number[] {
    return outcomes.map((failures) => {
      pace.learn({ failures, rateLimit: undefined });
      return Math.max(0, pace.resumesAtMs - now);
    });
  }

  it('should double the pause after each failure, up to a minute', () => {
    const failures = Array.from({ length: 8 }, (_, i) => [i % 2 === 0 ? down : broken]);
    expect(pauses(new Pace(1000), failures)).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('should stay at a minute', () => {
    const pace = new Pace(5000);
    expect(pauses(pace, new Array<KiketApiError[]>(2000).fill([down])).at(-1)).toBe(60_000);
  });

  it('should pause at least for the interval', () => {
    expect(pauses(new Pace(90_000), [[down], [down]])).toEqual([90_000, 90_000]);
  });

  it.each([
    ['has arrived', undefined],
    ['was refused', refused],
  ])('should start again once a record %s', (_name, outcome) => {
    expect(pauses(new Pace(1000), [[down], [down], [down, outcome], [down]])).toEqual([2000, 4000, 0, 2000]);
  });

  it.each([
    [[limited(30)], 30_000],
    [[limited(30), limited(40)], 40_000],
    [[undefined, limited(30)], 30_000],
    [[limited(0)], 2000],
    [[limited()], 2000],
    [[undefined, limited()], 1000],
    [[limited(9_999_999_999)], 3_600_000],
  ])('should pause for the time that 429 asks for: %#', (failures, pause) => {
    expect(pauses(new Pace(1000), [failures])).toEqual([pause]);
  });

  it.each([
    [{ limit: 600, remaining: 300, resetInSeconds: 30 }, 0],
    [{ limit: 600, remaining: 299, resetInSeconds: 30 }, 30_000],
    [{ limit: 600, remaining: 0, resetInSeconds: 0 }, 1000],
    [{ limit: 600, remaining: 0, resetInSeconds: 9_999_999 }, 60_000],
    [{ limit: 0, remaining: 0, resetInSeconds: 30 }, 0],
  ])('should pause when less than half of the limit is left: %j', (told, pause) => {
    const pace = new Pace(1000);
    pace.learn({ failures: [undefined], rateLimit: { ...told, windowSeconds: 60 } });
    expect(Math.max(0, pace.resumesAtMs - now)).toBe(pause);
  });

  it('should end a pause after a failure early on tryAgain(), but not one that the API asks for', () => {
    const pace = new Pace(1000);
    expect(pauses(pace, [[limited(5)], [down], [down]])).toEqual([5000, 5000, 8000]);
    pace.tryAgain();
    expect(pace.resumesAtMs - now).toBe(5000);
  });

  it('should allow one request at first and after a pause', () => {
    const pace = new Pace(1000);
    expect(pace.concurrency).toBe(1);
    pauses(pace, [[undefined]]);
    expect(pace.concurrency).toBe(4);
    pauses(pace, [[down, undefined]]);
    expect(pace.concurrency).toBe(4);
    pauses(pace, [[down]]);
    clock.mockReturnValue(pace.resumesAtMs);
    expect(pace.concurrency).toBe(1);
    pauses(pace, [[undefined]]);
    expect(pace.concurrency).toBe(4);
  });
});
