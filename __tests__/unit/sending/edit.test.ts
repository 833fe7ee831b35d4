import { setAt, unsetAt } from '../../../lib/sending/edit';

const payload = { issue: { id: 7, labels: ['a', 'b'], none: null }, text: 'x' };

describe('setAt', () => {
  it.each([
    ['a value of an object', 'issue.id', '8', { ...payload, issue: { ...payload.issue, id: 8 } }],
    ['a new value', 'kind', '"bug"', { ...payload, kind: 'bug' }],
    ['a string without quotes', 'text', 'not JSON: {', { ...payload, text: 'not JSON: {' }],
    ['an empty string', 'text', '', { ...payload, text: '' }],
    ['an object', 'text', '{"a":[1]}', { ...payload, text: { a: [1] } }],
    ['null', 'text', 'null', { ...payload, text: null }],
    ['objects on the way', 'a.b.c', 'true', { ...payload, a: { b: { c: true } } }],
    ['an element', 'issue.labels.1', '"c"', { ...payload, issue: { ...payload.issue, labels: ['a', 'c'] } }],
    [
      'a further element',
      'issue.labels.2',
      '"c"',
      { ...payload, issue: { ...payload.issue, labels: ['a', 'b', 'c'] } },
    ],
    [
      'in a further element',
      'issue.labels.2.x',
      '1',
      { ...payload, issue: { ...payload.issue, labels: ['a', 'b', { x: 1 }] } },
    ],
    ['names of methods', 'toString.constructor', '1', { ...payload, toString: { constructor: 1 } }],
  ])('should set %s', (_name, path, value, expected) => {
    expect(JSON.stringify(setAt(payload, path, value))).toBe(JSON.stringify(expected));
  });

  it('should set __proto__ as any other name', () => {
    const changed = setAt({}, '__proto__.polluted', 'true');
    expect(JSON.stringify(changed)).toBe('{"__proto__":{"polluted":true}}');
    expect(({} as { polluted?: true }).polluted).toBeUndefined();
  });

  it.each([
    ['', '"" is not a path such as issue.title'],
    ['issue..id', '"issue..id" is not a path such as issue.title'],
    ['.id', '".id" is not a path such as issue.title'],
    ['text.a', '"text.a" leads through "text", which is not an object or an array'],
    ['issue.none.a', '"issue.none.a" leads through "none", which is not an object or an array'],
    ['issue.labels.x', '"issue.labels.x" needs an index from 0 to 2, but "x" is none'],
    ['issue.labels.3', '"issue.labels.3" needs an index from 0 to 2, but "3" is none'],
    ['issue.labels.-1', '"issue.labels.-1" needs an index from 0 to 2, but "-1" is none'],
    ['issue.labels.length', '"issue.labels.length" needs an index from 0 to 2, but "length" is none'],
    ['issue.labels.5.a', '"issue.labels.5.a" needs an index from 0 to 2, but "5" is none'],
  ])('should refuse the path %j', (path, message) => {
    expect(() => setAt(payload, path, '1')).toThrow(new RangeError(message));
  });

  it('should change a copy', () => {
    const before = structuredClone(payload);
    setAt(payload, 'issue.labels.0', '1');
    unsetAt(payload, 'issue.labels.0');
    expect(payload).toEqual(before);
  });
});

describe('unsetAt', () => {
  it.each([
    ['text', { issue: payload.issue }],
    ['issue.labels.0', { ...payload, issue: { ...payload.issue, labels: ['b'] } }],
    ['issue.none', { ...payload, issue: { id: 7, labels: ['a', 'b'] } }],
  ])('should remove %s', (path, expected) => expect(unsetAt(payload, path)).toEqual(expected));

  it.each([
    'absent',
    'absent.too',
    'issue.labels.2',
    'issue.labels.-1',
    'issue.labels.x',
    'issue.labels.length',
    'toString',
  ])('should leave the payload as it is for %s', (path) => expect(unsetAt(payload, path)).toEqual(payload));

  it('should refuse a path through a value that is not an object', () => {
    expect(() => unsetAt(payload, 'text.a')).toThrow(RangeError);
  });
});
