import { headerId, isId, isNonEmptyString, isObject, isThenable, nonEmptyString } from '../../lib/guards';

const thenable = { then: () => undefined };
const callableThenable = Object.assign(() => undefined, thenable);

describe('guards', () => {
  it.each<[name: string, guard: (value: unknown) => boolean, accepted: unknown[], rejected: unknown[]]>([
    ['isObject', isObject, [{}, Object.create(null), new Date()], [null, undefined, [], 'a', 1, () => undefined]],
    [
      'isThenable',
      isThenable,
      [Promise.resolve(), thenable, callableThenable],
      [null, undefined, {}, { then: true }, () => undefined, 'then', 1],
    ],
    ['isNonEmptyString', isNonEmptyString, ['a', ' '], ['', null, undefined, 1, ['a'], new String('a')]],
    [
      'isId',
      isId,
      [1, Number.MAX_SAFE_INTEGER, '1', 'org_7', 'x'.repeat(200)],
      [0, -1, 1.5, NaN, Infinity, 2 ** 53, '', 'two words', 'é', 'x'.repeat(201), 1n, null, undefined, ['1'], {}],
    ],
  ])('%s should be true for a value of its kind only', (_name, guard, accepted, rejected) => {
    for (const value of accepted) expect([value, guard(value)]).toEqual([value, true]);
    for (const value of rejected) expect([value, guard(value)]).toEqual([value, false]);
  });
});

describe('nonEmptyString', () => {
  it('should return a string of at least one character', () => {
    expect(['a', '', null, 1].map(nonEmptyString)).toEqual(['a', undefined, undefined, undefined]);
  });
});

describe('headerId', () => {
  it.each<[string | string[] | undefined, number | string | undefined]>([
    ['org_7', 'org_7'],
    ['1', 1],
    ['27', 27],
    [String(Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER],
    [String(2 ** 53), undefined],
    ['9'.repeat(17), undefined],
    ['0', undefined],
    ['027', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['1e3', '1e3'],
    [' 1', undefined],
    ['1, 2', undefined],
    ['', undefined],
    [['1'], undefined],
    [undefined, undefined],
  ])('should read %j as %j', (header, id) => {
    expect(headerId(header)).toBe(id);
  });
});
