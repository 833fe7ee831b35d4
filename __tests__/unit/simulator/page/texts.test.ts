import { commandFor, editsBetween } from '../../../../lib/simulator/page/command-line';
import { hexDump } from '../../../../lib/simulator/page/hex';
import { placeOfPointer, readJson, type JsonNode } from '../../../../lib/simulator/page/json-text';
import { count, countdown, duration, size } from '../../../../lib/simulator/page/quantities';
import { segmentsOf } from '../../../../lib/simulator/page/visible-text';

describe('segmentsOf', () => {
  it.each([
    ['plain text\n\twith breaks\r\n', 'plain text\n\twith breaks\r\n'],
    ['a\u0000b', 'a[␀]b'],
    ['a\rb', 'a[␍]b'],
    ['\u007f', '[␡]'],
    ['annual\u202egnp.exe', 'annual[⟨U+202E⟩]gnp.exe'],
    ['zero\u200bwidth', 'zero[⟨U+200B⟩]width'],
    ['\ufeff{}', '[⟨U+FEFF⟩]{}'],
    ['\u{e0041}', '[⟨U+E0041⟩]'],
    ['\ud800', '[⟨U+D800⟩]'],
    ['👩‍🚀 👍🏽 ❤️‍🔥', '👩‍🚀 👍🏽 ❤️‍🔥'],
    ['pay\u200dpal', 'pay[⟨U+200D⟩]pal'],
    ['Grüße, 世界, سلام', 'Grüße, 世界, سلام'],
    ['{"a":"{{token}}","b":"{{secret:API_KEY}}"}', '{"a":"<token>","b":"<secret:API_KEY>"}'],
    ['{{other}} {{secret:}}', '{{other}} {{secret:}}'],
  ])('should mark in %j what cannot be seen or was removed', (text, expected) => {
    const shown = segmentsOf(text).map((each) =>
      each.kind === 'plain' ? each.text : each.kind === 'hidden' ? `[${each.text}]` : `<${each.name}>`,
    );
    expect(shown.join('')).toBe(expected);
  });
});

describe('readJson', () => {
  it.each([
    '{}',
    '[]',
    ' [1, -2.50e+3, true, false, null, "\\u00e9\\n"] ',
    '{"a":{"b":[{"c":1}]},"a":2}',
    '"x"',
    '12345678901234567890',
    '\t{ "a" : [ ] }\r\n',
  ])('should read %j as the browser does, with the text of each value', (text) => {
    const { root, error } = readJson(text);
    expect(error).toBeUndefined();
    expect(valueOf(text, root!)).toEqual(JSON.parse(text));
  });

  it.each([
    ['', 1, 1, 'a value'],
    ['{', 1, 2, 'a key in quotes'],
    ['{"a"}', 1, 5, ':'],
    ['{"a":1,}', 1, 8, 'a key in quotes'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, ', or }'],
    ['[1 2]', 1, 4, ', or ]'],
    ['[1,]', 1, 4, 'a value'],
    ['01', 1, 2, 'the end'],
    ['{} x', 1, 4, 'the end'],
    ["{'a':1}", 1, 2, 'a key in quotes'],
    ['"a\nb"', 1, 1, 'the end of the string'],
    ['NaN', 1, 1, 'a value'],
    ['/* x */ 1', 1, 1, 'a value'],
  ])('should say where %j is wrong', (text, line, column, what) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    expect(readJson(text).error).toMatchObject({ place: { line, column }, message: `Expected ${what}` });
  });

  it('should not exhaust the stack', () => {
    expect(readJson('['.repeat(100_000)).error?.message).toBe('More than 500 levels');
  });

  it('should find the value of a pointer, or what is nearest to it', () => {
    const text = '{\n  "a/b": [\n    1,\n    { "~": 2 }\n  ]\n}';
    const { root } = readJson(text);
    const at = (pointer: string): unknown => placeOfPointer(text, root!, pointer).place;
    expect(at('/a~1b/1/~0')).toEqual({ line: 4, column: 12 });
    expect(at('/a~1b/1/absent')).toEqual({ line: 4, column: 5 });
    expect(at('')).toEqual({ line: 1, column: 1 });
  });

  function valueOf(text: string, { type, offset, end, children }: JsonNode): unknown {
    if (type === 'array') return children.map((child) => valueOf(text, child));
    if (type !== 'object') return JSON.parse(text.slice(offset, end)) as unknown;
    return Object.fromEntries(children.map((child) => [child.key, valueOf(text, child)]));
  }
});

describe('commandFor', () => {
  const given = { to: 'http://localhost:3000/kiket', event: 'issue.created', options: {}, tamper: '' };

  it('should quote for a shell, and name each option', () => {
    const edits = { set: { 'issue.title': "It's new" }, unset: ['metrics'] };
    const options = {
      scheme: 'body',
      timestampOffsetSeconds: -600,
      minimalHeaders: true,
      missing: ['A', 'B'],
    } as const;
    expect(commandFor({ ...given, edits, options, tamper: 'stale' })).toBe(
      `kiket-express send issue.created --to http://localhost:3000/kiket --set 'issue.title="It'\\''s new"' --unset metrics --scheme body --timestamp=-600 --headers minimal --missing A --missing B --tamper stale`,
    );
  });

  it('should name a file when paths cannot say what was edited', () => {
    expect(editsBetween({ a: [1, 2] }, { a: [1] })).toBeUndefined();
    expect(editsBetween({}, { 'a.b': 1 })).toBeUndefined();
    expect(commandFor({ ...given, edits: undefined })).toContain('send payload.json --to');
  });

  it('should say what was set and removed', () => {
    expect(editsBetween({ a: { b: 1, c: 2 }, d: [1] }, { a: { b: 3 }, d: [1, 2] })).toEqual({
      set: { 'a.b': 3, 'd.1': 2 },
      unset: ['a.c'],
    });
  });
});

describe('quantities', () => {
  it.each([
    [duration(14), '14 ms'],
    [duration(1500), '1.5 s'],
    [duration(120_000), '2 min'],
    [duration(28_800_000), '8 h'],
    [countdown(-1), 'now'],
    [countdown(500), '0.5 s'],
    [countdown(11_001), '0:12'],
    [countdown(3_723_000), '1:02:03'],
    [size(612), '612 B'],
    [size(1234), '1.2 KB'],
    [size(1_000_000), '1 MB'],
    [count(1, 'delivery'), '1 delivery'],
    [count(10_000, 'delivery'), '10,000 deliveries'],
    [count(2, 'key'), '2 keys'],
  ])('should write %s', (text, expected) => {
    expect(text).toBe(expected);
  });
});

describe('hexDump', () => {
  it('should show offset, digits and characters of 16 bytes in a row', () => {
    expect(hexDump(new TextEncoder().encode('{"event":"é"}\n…'))).toBe(
      '000000  7b 22 65 76 65 6e 74 22  3a 22 c3 a9 22 7d 0a e2  {"event":"··"}··\n' +
        '000010  80 a6                                             ··',
    );
  });
});
