import { pairs } from '../support/pairs';

const columns = { a: [1, 2, 3, 4], b: ['x', 'y', 'z'], c: [true, false], d: [null, undefined] };

describe('pairs', () => {
  it('should bring any two values of different columns together in far fewer rows than all combinations', () => {
    const rows = pairs(columns);
    for (const a of columns.a)
      for (const b of columns.b) expect(rows.some((row) => row.a === a && row.b === b)).toBe(true);
    for (const b of columns.b)
      for (const d of columns.d) expect(rows.some((row) => row.b === b && row.d === d)).toBe(true);
    expect(rows.length).toBeLessThanOrEqual(14);
  });

  it('should leave impossible combinations out, and pair their values otherwise', () => {
    const rows = pairs(columns, ({ a, b }) => !(a === 1 && b === 'x'));
    expect(rows.filter(({ a, b }) => a === 1 && b === 'x')).toEqual([]);
    expect(rows.some(({ a, c }) => a === 1 && !c)).toBe(true);
  });
});
