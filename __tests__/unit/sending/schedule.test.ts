import { durationText, parseDuration, parseSchedule, SCHEDULES } from '../../../lib/sending/schedule';

describe('parseDuration', () => {
  it.each([
    ['0ms', 0],
    ['500ms', 500],
    ['1.5s', 1500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['0.0004s', 0],
    ['596h', 2_145_600_000],
  ])('should read %s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '5', 's', '5 s', '-5s', '5d', '.5s', '1e3ms', '5S', ' 5s', '5s\n'])('should not read %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it.each(['597h', '9999999999999h'])('should not read what a timer cannot wait for: %s', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('parseSchedule', () => {
  it('should know the schedules by name, and as many retries as their sources say', () => {
    const lengths = Object.keys(SCHEDULES).map((name) => [name, parseSchedule(name)?.length]);
    expect(Object.fromEntries(lengths)).toEqual({ none: 0, contract: 5, docs: 6, fast: 5, legacy: 9, '24h': 11 });
  });

  it('should double the delays of the contract', () => {
    const delays = parseSchedule('contract')!;
    expect(delays.slice(1).map((delay, i) => delay / delays[i]!)).toEqual([2, 2, 2, 2]);
  });

  it('should read a list', () => {
    expect(parseSchedule('100ms,2s,1m')).toEqual([100, 2000, 60_000]);
  });

  it.each(['', 'daily', '1s,', ',1s', '1s 2s', 'none,1s', 'constructor', '597h'])('should not read %j', (text) => {
    expect(parseSchedule(text)).toBeUndefined();
  });
});

describe('durationText', () => {
  it.each([
    [0, '0 ms'],
    [0.5, '0.5 ms'],
    [1.666, '1.7 ms'],
    [500, '500 ms'],
    [1500, '1.5 s'],
    [1234, '1234 ms'],
    [30_000, '30 s'],
    [90_000, '1.5 min'],
    [300_000, '5 min'],
    [28_800_000, '8 h'],
  ])('should write %d ms', (ms, text) => expect(durationText(ms)).toBe(text));
});
