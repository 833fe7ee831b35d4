import {
  boolean,
  callback,
  clock,
  hidden,
  integer,
  list,
  number,
  oneOf,
  optional,
  readOptions,
  shown,
  string,
  type Option,
  type OptionTable,
} from '../../lib/options';

type AnyOption = Option<unknown, unknown>;

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TypeError) return error.message;
    throw error;
  }
  throw new Error('Nothing was thrown');
}

const fn = (): undefined => undefined;

const checks: Record<
  string,
  { readonly option: AnyOption; readonly good: unknown[]; readonly bad: [unknown, string][] }
> = {
  number: {
    option: number({ default: 300, min: 0, max: 9 }),
    good: [0, 0.5, 9],
    bad: [
      [-1, 'a number from 0 to 9, but is -1'],
      [9.1, 'a number from 0 to 9, but is 9.1'],
      [Number.NaN, 'a number from 0 to 9, but is NaN'],
      [Infinity, 'a number from 0 to 9, but is Infinity'],
      ['3', 'a number from 0 to 9, but is "3"'],
      ['', 'a number from 0 to 9, but is ""'],
      [null, 'a number from 0 to 9, but is null'],
      [undefined, 'a number from 0 to 9, but is undefined'],
      [3n, 'a number from 0 to 9, but is a bigint'],
      [[3], 'a number from 0 to 9, but is an array'],
      [new Date(3), 'a number from 0 to 9, but is an object (Date)'],
    ],
  },
  integer: {
    option: integer({ min: 1, max: 9 }),
    good: [1, 9],
    bad: [
      [0, 'an integer from 1 to 9, but is 0'],
      [1.5, 'an integer from 1 to 9, but is 1.5'],
      [10, 'an integer from 1 to 9, but is 10'],
      ['1', 'an integer from 1 to 9, but is "1"'],
      [Number.NaN, 'an integer from 1 to 9, but is NaN'],
    ],
  },
  boolean: {
    option: boolean(false),
    good: [true, false],
    bad: [
      ['false', 'true or false, but is "false"'],
      [0, 'true or false, but is 0'],
      [null, 'true or false, but is null'],
      [[], 'true or false, but is an empty array'],
    ],
  },
  callback: {
    option: callback(),
    good: [undefined, fn, Date.now],
    bad: [
      [null, 'a function, but is null'],
      ['log', 'a function, but is "log"'],
      [true, 'a function, but is true'],
      [{}, 'a function, but is an object'],
      [Object.create(null), 'a function, but is an object'],
      [Promise.resolve(), 'a function, but is an object (Promise)'],
    ],
  },
  clock: { option: clock(), good: [fn, Date.now], bad: [[1_764_000_000_000, 'a function, but is 1764000000000']] },
  string: {
    option: string(),
    good: ['a', ' '],
    bad: [
      ['', 'a non-empty string, but is ""'],
      [42, 'a non-empty string, but is 42'],
      [undefined, 'a non-empty string, but is undefined'],
    ],
  },
  oneOf: {
    option: oneOf('body', 'timestamped', 'none'),
    good: ['body', 'timestamped', 'none'],
    bad: [
      ['Body', '"body", "timestamped" or "none", but is "Body"'],
      [['body'], '"body", "timestamped" or "none", but is an array'],
      [undefined, '"body", "timestamped" or "none", but is undefined'],
    ],
  },
  optional: {
    option: optional(string()),
    good: [undefined, 'a'],
    bad: [
      [null, 'a non-empty string, but is null'],
      ['', 'a non-empty string, but is ""'],
    ],
  },
  list: {
    option: list(string()),
    good: [[], ['a', 'b'], Object.freeze(['a'])],
    bad: [
      ['a', 'an array, but is a string'],
      [null, 'an array, but is null'],
      [{ 0: 'a', length: 1 }, 'an array, but is an object'],
      [new Set(['a']), 'an array, but is an object (Set)'],
    ],
  },
  'list that is not empty': {
    option: list(string(), { nonEmpty: true }),
    good: [['a']],
    bad: [[[], 'a non-empty array, but is an empty array']],
  },
  'value that may be secret': {
    option: hidden('a key', (given) => given === 'key'),
    good: ['key'],
    bad: [
      ['canary', 'a key, but is a string'],
      ['', 'a key, but is an empty string'],
      [42, 'a key, but is a number'],
      [Buffer.from('canary'), 'a key, but is an object (Buffer)'],
    ],
  },
};

const rows = (kind: 'good' | 'bad') =>
  Object.entries(checks).flatMap(([type, check]) =>
    check[kind].map((value) => ({ type, option: check.option, value })),
  );

describe('the check of an option', () => {
  it.each(rows('good'))('should return the value of a $type unchanged: $value', ({ option, value }) => {
    expect(option.read(value, 'kiketX', 'name')).toEqual(value);
  });

  it.each(rows('bad'))(
    'should throw a TypeError that names the required and the given value of a $type: $value',
    ({ option, value }) => {
      const [given, text] = value as [unknown, string];
      expect(messageOf(() => option.read(given, 'kiketX', 'name'))).toBe(`kiketX: name must be ${text}`);
    },
  );

  it('should name the element of a list', () => {
    const read = (value: unknown) => () => list(oneOf('a', 'b')).read(value, 'kiketX', 'letters');
    expect(messageOf(read(['a', 'c']))).toBe('kiketX: letters[1] must be "a" or "b", but is "c"');
    expect(messageOf(read(new Array(1)))).toBe('kiketX: letters[0] must be "a" or "b", but is undefined');
  });

  it('should return a copy of a list', () => {
    const given = ['a'];
    const read = list(string()).read(given, 'kiketX', 'name');
    given.push('b');
    expect(read).toEqual(['a']);
  });

  it('should read the clock of the moment by default', () => {
    const now = clock().default!;
    const { now: real } = Date;
    try {
      Date.now = () => 42;
      expect(now()).toBe(42);
    } finally {
      Date.now = real;
    }
  });
});

describe('shown', () => {
  it.each([
    ['a'.repeat(101), `"${'a'.repeat(100)}…"`],
    ['two\nlines', '"two\uFFFDlines"'],
    [-0.5, '-0.5'],
    [{ constructor: { name: { canary: true } } }, 'an object'],
    [Symbol('canary'), 'a symbol'],
    [fn, 'a function'],
  ])('should fit a message: %p', (value, text) => {
    expect(shown(value)).toBe(text);
  });
});

interface Options {
  toleranceSeconds?: number | undefined;
  reportOnly?: boolean | undefined;
  onRefused?: ((error: Error) => void) | undefined;
}

const table = {
  toleranceSeconds: number({ default: 300, min: 0, max: 1000 }),
  reportOnly: boolean(false),
  onRefused: callback(),
} satisfies OptionTable<Options>;

const defaults = { toleranceSeconds: 300, reportOnly: false, onRefused: undefined };

function read(options: unknown, prefix?: string): unknown {
  return readOptions('kiketX', options as object, table, prefix);
}

describe('readOptions', () => {
  it.each([
    ['an empty object', {}],
    ['options that are undefined', { toleranceSeconds: undefined, reportOnly: undefined, onRefused: undefined }],
    ['an unknown option that is undefined', { tolerance: undefined }],
    ['an object without a prototype', Object.create(null)],
    ['a frozen object', Object.freeze({})],
  ])('should return the defaults for %s', (_name, options) => {
    expect(read(options)).toEqual(defaults);
  });

  it('should return given values, also from a getter, a class or a Proxy', () => {
    class Config {
      readonly reportOnly = true;
      get toleranceSeconds() {
        return 5;
      }
    }
    const expected = { ...defaults, reportOnly: true, toleranceSeconds: 5 };
    expect(read(new Config())).toEqual(expected);
    expect(read(new Proxy({ reportOnly: true, toleranceSeconds: 5 }, {}))).toEqual(expected);
  });

  it('should read each property once', () => {
    const reads: string[] = [];
    const options = new Proxy(
      { reportOnly: true, tolerance: undefined },
      {
        get(target, name: string) {
          reads.push(name);
          return Reflect.get(target, name) as unknown;
        },
      },
    );
    read(options);
    expect(reads.sort()).toEqual(['onRefused', 'reportOnly', 'tolerance', 'toleranceSeconds']);
  });

  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    ['canary', 'a string'],
    [42, 'a number'],
    [fn, 'a function'],
    [['canary'], 'an array'],
  ])('should throw a TypeError that does not show options that are not an object: %p', (options, kind) => {
    expect(messageOf(() => read(options))).toBe(`kiketX: options must be an object, but is ${kind}`);
    expect(messageOf(() => read(options, 'api.'))).toBe(`kiketX: api must be an object, but is ${kind}`);
  });

  it.each([
    ['tolerancesSeconds', 'toleranceSeconds'],
    ['TOLERANCESECONDS', 'toleranceSeconds'],
    ['tolerance', 'toleranceSeconds'],
    ['toleranceMs', 'toleranceSeconds'],
    ['report_only', 'reportOnly'],
    ['onRefuse', 'onRefused'],
    ['onRefusal', 'onRefused'],
  ])('should suggest the nearest name for an unknown option: %s', (name, nearest) => {
    expect(messageOf(() => read({ [name]: 1 }))).toBe(
      `kiketX: unknown option "${name}". Did you mean "${nearest}"? Known options: toleranceSeconds, reportOnly, onRefused`,
    );
  });

  it.each(['limit', 'constructor', '__proto__', 'secret'])('should suggest no name for a distant one: %s', (name) => {
    const options = JSON.parse(`{ "${name}": 1 }`) as object;
    expect(messageOf(() => read(options))).toBe(
      `kiketX: unknown option "${name}". Known options: toleranceSeconds, reportOnly, onRefused`,
    );
  });

  it('should not show the value of an unknown option', () => {
    expect(messageOf(() => read({ secrets: 'canary' }))).not.toContain('canary');
  });

  it('should put the prefix before each name', () => {
    expect(messageOf(() => read({ toleranceSeconds: '5' }, 'api.'))).toMatch(/^kiketX: api\.toleranceSeconds must be /);
    expect(messageOf(() => read({ reportonly: 1 }, 'api.'))).toBe(
      'kiketX: unknown option "api.reportonly". Did you mean "api.reportOnly"? ' +
        'Known options: api.toleranceSeconds, api.reportOnly, api.onRefused',
    );
  });

  it('should require in types that the table matches the interface', () => {
    const values = readOptions('kiketX', {}, table);
    expect<number>(values.toleranceSeconds).toBe(300);
    expect<((error: Error) => void) | undefined>(values.onRefused).toBeUndefined();
    // @ts-expect-error a row is missing
    ({ toleranceSeconds: table.toleranceSeconds, reportOnly: table.reportOnly }) satisfies OptionTable<Options>;
    // @ts-expect-error a row of another type
    ({ ...table, toleranceSeconds: boolean(false) }) satisfies OptionTable<Options>;
    // @ts-expect-error a row too many
    ({ ...table, tolerance: boolean(false) }) satisfies OptionTable<Options>;
  });
});
