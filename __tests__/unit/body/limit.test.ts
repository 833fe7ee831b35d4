import { limitOption } from '../../../lib/body/limit';
import { readOptions } from '../../../lib/options';

const read = (limit: unknown): number => readOptions('kiketX', { limit }, { limit: limitOption }).limit;

describe('limit', () => {
  it.each<[unknown, number]>([
    [undefined, 2 ** 20],
    [0, 0],
    [2048, 2048],
    ['2048', 2048],
    ['2kb', 2048],
    ['1.5 MB', 1.5 * 2 ** 20],
    ['1.25mb', 1.25 * 2 ** 20],
  ])('should read %p as %d bytes', (limit, expected) => {
    expect(read(limit)).toBe(expected);
  });

  it.each([-1, Number.NaN, '', 'much', '1 megabyte', '12abc', 'about 1mb', '-1', {}, [], true, null])(
    'should throw a TypeError for %p',
    (limit) => {
      expect(() => read(limit)).toThrow(TypeError);
      expect(() => read(limit)).toThrow(/^kiketX: limit must be a number of bytes or a string such as "1mb", but is /);
    },
  );
});
