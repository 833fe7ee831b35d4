import fc from 'fast-check';
import { signedContent } from '../../../lib/idempotency/signed-content';

const PER_ATTEMPT = ['authentication', 'secrets', 'secret_status'];

function contentOf(text: string): string {
  return signedContent(Buffer.from(text)).toString();
}

function expectSame(...texts: string[]): void {
  expect([...new Set(texts.map(contentOf))]).toHaveLength(1);
}

function expectDifferent(...texts: string[]): void {
  expect([...new Set(texts.map(contentOf))]).toHaveLength(texts.length);
}

describe('signedContent', () => {
  it.each(PER_ATTEMPT)('should leave out %s in any place and with any value', (name) => {
    expectSame(
      '{"event":"a","x":1}',
      ...['null', '{}', '[]', '"text"', '7', '{"deep":{"a":[1,{"b":"}"}]}}', '"\\"},{[\\\\"', 'true'].flatMap(
        (value) => [
          `{"${name}":${value},"event":"a","x":1}`,
          `{"event":"a","${name}":${value},"x":1}`,
          `{"event":"a","x":1,"${name}":${value}}`,
        ],
      ),
    );
  });

  it('should leave out keys that are written with escapes, or twice', () => {
    expectSame(
      '{"event":"a"}',
      '{"authentication":{},"secrets":{},"secret_status":{},"event":"a"}',
      '{"event":"a","authentic\\u0061tion":{"runtime_token":"t"}}',
      '{"event":"a","\\u0073ecrets":1,"secrets":2,"secrets":3}',
    );
  });

  it('should keep members of these names below the top', () => {
    expectDifferent(
      '{"x":{"secrets":1}}',
      '{"x":{"secrets":2}}',
      '{"x":{}}',
      '{"x":[{"secrets":1}]}',
      '{"y":{"secrets":1}}',
    );
  });

  it('should keep values that read like these names', () => {
    expectDifferent('{"x":"secrets"}', '{"x":"authentication"}', '{"x":["secrets"]}', '{"x":1}');
  });

  it('should keep keys that only resemble these names', () => {
    expectDifferent(
      '{"event":"a"}',
      '{"event":"a","Secrets":1}',
      '{"event":"a","secrets ":1}',
      '{"event":"a","secret":1}',
      '{"event":"a","secrets\\u0000":1}',
      '{"event":"a","":1}',
    );
  });

  it('should ignore quotes, brackets and commas within strings', () => {
    expectDifferent(
      '{"x":"\\",\\"secrets\\":1"}',
      '{"x":"\\",\\"secrets\\":2"}',
      '{"x":"\\\\","secrets":1,"y":"\\\\"}',
      '{"x":"}{][,:"}',
      '{"x":"}{][,:","y":"]"}',
    );
    expectSame('{"x":"\\\\","secrets":1}', '{"x":"\\\\","secrets":2}', '{"x":"\\\\"}');
  });

  it('should find the end of a string of any length', () => {
    const ends = ['', '"', '\\', '\\"', '\\\\"', '",', '"}', '","secrets":"'];
    for (let length = 0; length < 80; length++) {
      for (const end of ends) {
        for (const text of [`${'x'.repeat(length)}${end}`, `${'x'.repeat(length)}${end}${'x'.repeat(40)}`]) {
          const member = `"text":${JSON.stringify(text)}`;
          expect(contentOf(`{${member},"secrets":1,"event":"a"}`)).toBe(`${member},"event":"a"`);
        }
      }
    }
  });

  it.each(['', '{', '{"a', `{"${'a'.repeat(80)}`, '{"a":"b\\"', '{"a":[', '{"a":1', '}', '{"a":1}}'])(
    'should return no more bytes than given for %j, which is not JSON',
    (text) => {
      expect(contentOf(text).length).toBeLessThanOrEqual(text.length);
    },
  );

  it('should keep the borders of members', () => {
    expectDifferent('{"a":1,"b":2}', '{"a":1}', '{"b":2}', '{"b":2,"a":1}', '{"a":"1,\\"b\\":2"}', '{"a":[1,{"b":2}]}');
  });

  it('should ignore white space and a byte order mark around the members', () => {
    const bare = '{"event":"a","x":[1, 2]}';
    expectSame(
      bare,
      `\ufeff${bare}`,
      ` \r\n\t${bare}\n`,
      '{ "event":"a" , "x":[1, 2]\n}',
      '{\n  "event":"a",\n  "x":[1, 2],\n  "secrets": {}\n}',
      '{\n  "secrets": {},\n  "event":"a",\n  "x":[1, 2]\n}',
      '{\n  "event":"a",\n  "secrets": {},\n  "x":[1, 2]\n}',
    );
  });

  it('should return the same for no members and for none left', () => {
    expectSame('{}', '{ }', '{"secrets":{}}', '{"secrets":{}, "authentication":null}');
  });

  it('should accept any depth of nesting', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expectSame(`{"x":${deep}}`, `{"secrets":${deep},"x":${deep}}`);
    expectDifferent(`{"x":${deep}}`, `{"x":[${deep}]}`);
  });

  it('should differ for bodies that JSON.parse reads as the same', () => {
    expectDifferent('{"x":1e400}', '{"x":-1e400}', '{"x":null}');
    expectDifferent('{"x":0}', '{"x":-0}', '{"x":0.0}', '{"x":0e1}');
    expectDifferent('{"x":9007199254740992}', '{"x":9007199254740993}');
    expectDifferent('{"x":2}', '{"x":1,"x":2}', '{"x":2,"x":2}');
    expectDifferent('{}', '{"__proto__":{}}', '{"__proto__":{"secrets":1}}', '{"constructor":{}}');
  });

  it('should keep characters of any script unchanged', () => {
    const content = contentOf('{"событие":"é 🚀 \u2028","secrets":{"é":1}}');
    expect(content).toBe('"событие":"é 🚀 \u2028"');
  });

  const key = fc.oneof(fc.constantFrom(...PER_ATTEMPT, 'event', 'a', 'b'), fc.string(), fc.string({ unit: 'binary' }));
  const payload = fc.dictionary(key, fc.jsonValue(), { maxKeys: 6 });
  const renderings = [
    (value: unknown) => JSON.stringify(value),
    (value: unknown) => JSON.stringify(value, undefined, 2),
    (value: unknown) => JSON.stringify(value, undefined, '\t').replaceAll('\n', '\r\n'),
  ];

  it('should be equal for two payloads if, and only if, they are equal without these members', () => {
    const without = (text: string): string =>
      JSON.stringify(Object.entries(JSON.parse(text) as object).filter(([name]) => !PER_ATTEMPT.includes(name)));
    fc.assert(
      fc.property(payload, payload, fc.boolean(), fc.constantFrom(...renderings), (first, second, isRetry, render) => {
        // Half of the time the second is the first with other members of its own.
        const kept = Object.entries(first).filter(([name]) => !PER_ATTEMPT.includes(name));
        const fresh = Object.entries(second).filter(([name]) => PER_ATTEMPT.includes(name));
        const other = isRetry ? Object.fromEntries([...fresh, ...kept]) : second;
        const [a, b] = [render(first), render(other)];
        expect(contentOf(a) === contentOf(b)).toBe(without(a) === without(b));
      }),
      { numRuns: 500 },
    );
  });
});
