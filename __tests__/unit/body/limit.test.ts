import { parseLimit } from '../../../lib/body/limit';

describe('parseLimit', () => {
  it.each<[unknown, number]>([
    [undefined, 2 ** 20],
    [0, 0],
    [2048, 2048],
    ['2048', 2048],
    ['2kb', 2048],
    ['1.5 MB', 1.5 * 2 ** 20],
  ])('should read %p as %d bytes', (limit, expected) => {
    expect(parseLimit('kiketX', limit)).toBe(expected);
  });

  it.each([-1, Number.NaN, '', 'much', '1 megabyte', '12abc', '-1', {}, [], true, null])(
    'should throw a TypeError for %p',
    (limit) => {
      expect(() => parseLimit('kiketX', limit)).toThrow(TypeError);
      expect(() => parseLimit('kiketX', limit)).toThrow(/^kiketX: limit /);
    },
  );
});
