import { headerText, quoted, shorten } from '../../lib/text';

describe('quoted', () => {
  it.each<[string, string, string]>([
    ['a name as it is', 'issue.created é 漢', 'issue.created é 漢'],
    ['100 characters as they are', 'x'.repeat(100), 'x'.repeat(100)],
    ['the first 100 characters of more', 'x'.repeat(101), `${'x'.repeat(100)}…`],
    ['a line break as one character', 'a\r\nb\u2028c', 'a\uFFFD\uFFFDb\uFFFDc'],
    ['control characters as one each', 'a\u0000\u001b[2J\u007f\u009b', 'a\uFFFD\uFFFD[2J\uFFFD\uFFFD'],
    ['characters that turn the direction of writing', 'a\u202eb', 'a\uFFFDb'],
    ['no half of a character', `${'x'.repeat(99)}😀`, `${'x'.repeat(99)}\uFFFD…`],
  ])('should return %s', (_what, name, expected) => {
    expect(quoted(name)).toBe(expected);
  });
});

describe('shorten', () => {
  it('should return at most 200 characters', () => {
    expect(shorten(undefined)).toBeUndefined();
    expect(shorten('x'.repeat(200))).toBe('x'.repeat(200));
    expect(shorten('x'.repeat(201))).toBe('x'.repeat(200));
  });
});

describe('headerText', () => {
  it.each<[unknown, string | undefined]>([
    ['a', 'a'],
    ['', ''],
    [['a'], 'a'],
    [['a', 'b'], 'a, b'],
    [[], ''],
    [undefined, undefined],
    [7, undefined],
    [{ toString: () => 'a' }, undefined],
  ])('should read %j as %j', (value, text) => {
    expect(headerText(value)).toBe(text);
  });
});
