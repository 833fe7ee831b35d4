import { headersOf } from '../../../lib/response/write-head';

describe('headersOf', () => {
  it.each<[string, unknown[], object]>([
    ['nothing', [], {}],
    ['a reason', ['Fine'], {}],
    ['undefined', [undefined], {}],
    ['null', ['Fine', null], {}],
    ['an object', [{ 'X-A': 'a', 'x-b': ['b', 'c'], 'X-C': 7 }], { 'x-a': 'a', 'x-b': ['b', 'c'], 'x-c': 7 }],
    ['a reason and an object', ['Fine', { 'X-A': 'a' }], { 'x-a': 'a' }],
    ['a flat list', [['X-A', 'a', 'X-B', 'b']], { 'x-a': 'a', 'x-b': 'b' }],
    [
      'pairs',
      [
        'Fine',
        [
          ['X-A', 'a'],
          ['X-B', 'b'],
        ],
      ],
      { 'x-a': 'a', 'x-b': 'b' },
    ],
    ['an empty list', [[]], {}],
  ])('should return the headers of %s', (_name, args, headers) => {
    expect(headersOf(args)).toEqual(headers);
  });
});
