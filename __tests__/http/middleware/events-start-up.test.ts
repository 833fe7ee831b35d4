import { kiket, kiketErrorHandler, kiketEvents, type KiketEvents } from 'kiket-express';
import { deliver, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeMajors } from '../../support/express';
import { illFormedPatterns } from '../../support/ill-formed-patterns';
import { quoted } from '../../../lib/text';

const ok = () => ({ status: 'allow' as const });
const guard = 'workflow.before_transition';

/** `on` and `otherwise` without types, as in JavaScript. */
interface Loose {
  on(...args: unknown[]): KiketEvents;
  otherwise(...args: unknown[]): KiketEvents;
}
const loose = (): Loose => kiketEvents();

/** Returns the error that `run` throws. */
function thrownBy(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown');
}

describe('an event that is registered twice', () => {
  const pairs: [string, string | string[], string | string[], string, string][] = [
    ['the same name', 'issue.created', 'issue.created', 'issue.created', 'issue.created'],
    ['the same version', 'issue.created@v2', 'issue.created@v2', 'issue.created@v2', 'issue.created@v2'],
    ['v2 and 2', 'issue.created@v2', 'issue.created@2', 'issue.created@v2', 'issue.created@2'],
    ['2 and v2', 'issue.created@2', 'issue.created@v2', 'issue.created@2', 'issue.created@v2'],
    ['a version that is not a number', 'a@beta', 'a@beta', 'a@beta', 'a@beta'],
    ['* twice', '*', '*', '*', '*'],
    ['the same prefix', 'issue.*', 'issue.*', 'issue.*', 'issue.*'],
    ['a guard', guard, guard, guard, guard],
    ['one of a list', ['a', 'b'], 'b', 'b', 'b'],
    ['one of a second list', 'b', ['a', 'b@1', 'b'], 'b', 'b'],
    ['one of two lists', ['a@1', 'b'], ['c', 'a@v1'], 'a@1', 'a@v1'],
    ['__proto__', '__proto__', '__proto__', '__proto__', '__proto__'],
  ];

  it.each(pairs)('should throw a TypeError that names both patterns: %s', (_name, first, second, was, is) => {
    const events = kiketEvents().on(first, ok);
    expect(() => events.on(second, ok)).toThrow(
      new TypeError(
        `kiketEvents: '${is}' is already registered, as '${was}'; remove one of them. '1' and 'v1' are the same version`,
      ),
    );
  });

  it.each<[string, string[]]>([
    ['ill-formed', ['b', 'c c']],
    ['registered already', ['b', 'a']],
    ['there twice', ['b', 'b']],
  ])('should register nothing of a list of which one is %s', (_name, list) => {
    const events = kiketEvents().on('a', ok);
    expect(() => events.on(list, ok)).toThrow(TypeError);
    expect(events.registered).toEqual([{ event: 'a', version: undefined }]);
    events.on('b', ok);
  });

  it('should throw a TypeError when one list names it twice', () => {
    for (const list of [
      ['a', 'b', 'a'],
      ['a@2', 'a@v2'],
      ['*', '*'],
      ['a.*', 'a.*'],
    ]) {
      const error = thrownBy(() => kiketEvents().on(list, ok));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toContain('is already registered');
    }
  });

  it.each<[string, string]>([
    ['a', 'a@v1'],
    ['a@v1', 'a@v2'],
    ['a@v2', 'a@V2'],
    ['a@2', 'a@02'],
    ['a.*', 'a.b.*'],
    ['*', 'a.*'],
    ['a', 'a.*'],
    ['a', 'A'],
    [guard, `${guard}@v1`],
  ])('should not be an error when %s and %s are registered', (first, second) => {
    expect(kiketEvents().on(first, ok).on(second, ok).registered).toHaveLength(2);
  });

  it('should not be an error when two routers have it', () => {
    kiketEvents().on('a', ok);
    expect(() => kiketEvents().on('a', ok)).not.toThrow();
  });
});

describe('the arguments of on and otherwise', () => {
  const pattern = '"name", "name@v2", "prefix.*" or "*"';

  it.each(illFormedPatterns)("should throw a TypeError for the event '%s', alone and in a list", (event) => {
    const error = new TypeError(`kiketEvents: event must be ${pattern}, but is "${quoted(event)}"`);
    expect(() => kiketEvents().on(event as 'a', ok)).toThrow(error);
    expect(() => kiketEvents().on(['issue.created', event as 'a'], ok)).toThrow(error);
  });

  it.each<[string, unknown[], string]>([
    ['no event', [undefined, ok], `event must be ${pattern}, but is undefined`],
    ['an event that is null', [null, ok], `event must be ${pattern}, but is null`],
    ['an event that is a number', [42, ok], `event must be ${pattern}, but is 42`],
    ['an event that is an object', [{ event: 'a' }, ok], `event must be ${pattern}, but is an object`],
    ['an event that is a regular expression', [/a/, ok], `event must be ${pattern}, but is an object (RegExp)`],
    ['an event that is a symbol', [Symbol('a'), ok], `event must be ${pattern}, but is a symbol`],
    ['a set of events', [new Set(['a']), ok], `event must be ${pattern}, but is an object (Set)`],
    ['a list in a list', [['a', ['b']], ok], `event must be ${pattern}, but is an array`],
    ['a hole in a list', [new Array<string>(1), ok], `event must be ${pattern}, but is undefined`],
    ['an empty list', [[], ok], 'event must be a string or a non-empty array, but is an empty array'],
    [
      'a handler and no event',
      [ok],
      'the event is missing: write .on("issue.created", fn), or .otherwise(fn) for all other events',
    ],
    [
      'a handler in place of the event',
      [ok, ok],
      'event must be "name", "name@v2", "prefix.*" or "*", but is a function',
    ],
    ['no handler', ['a'], 'handler must be a function, but is undefined'],
    ['a handler that is null', ['a', null], 'handler must be a function, but is null'],
    ['scopes in place of a handler', ['a', { scopes: ['x'] }], 'handler must be a function, but is an object'],
    ['options and no handler', ['a', {}, undefined], 'handler must be a function, but is undefined'],
    ['options and a handler that is a string', ['a', {}, 'ok'], 'handler must be a function, but is "ok"'],
    ['options that are undefined', ['a', undefined, ok], 'options must be an object, but is undefined'],
    ['options that are an array', ['a', ['x'], ok], 'options must be an object, but is an array'],
    ['a handler before the options', ['a', ok, { scopes: ['x'] }], 'options must be an object, but is a function'],
    ['scopes that are a string', ['a', { scopes: 'x' }, ok], 'scopes must be an array, but is a string'],
    ['scopes that are null', ['a', { scopes: null }, ok], 'scopes must be an array, but is null'],
    ['scopes that are a set', ['a', { scopes: new Set(['x']) }, ok], 'scopes must be an array, but is an object (Set)'],
    ['an empty scope', ['a', { scopes: ['x', ''] }, ok], 'scopes[1] must be a non-empty string, but is ""'],
    ['a scope that is a number', ['a', { scopes: [42] }, ok], 'scopes[0] must be a non-empty string, but is 42'],
    [
      'a scope that is undefined',
      ['a', { scopes: [undefined] }, ok],
      'scopes[0] must be a non-empty string, but is undefined',
    ],
  ])('should throw a TypeError for %s', (_name, args, text) => {
    expect(() => loose().on(...args)).toThrow(new TypeError(`kiketEvents: ${text}`));
  });

  it.each<[unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    ['', '""'],
    ['drop', '"drop"'],
    ['IGNORE', '"IGNORE"'],
    [true, 'true'],
    [{}, 'an object'],
    [['ignore'], 'an array'],
    ['constructor', '"constructor"'],
  ])('should throw a TypeError for otherwise(%p)', (fallback, received) => {
    const events = loose();
    expect(() => events.otherwise(fallback)).toThrow(
      new TypeError(`kiketEvents: fallback must be "ignore", "reject" or a function, but is ${received}`),
    );
    expect(() => events.otherwise('ignore')).not.toThrow();
  });

  const fallbacks = { reject: 'reject', ignore: 'ignore', 'a handler': ok };

  it.each(Object.entries(fallbacks))(
    'should throw a TypeError when otherwise is called again after %s',
    (_name, fallback) => {
      for (const again of Object.values(fallbacks)) {
        const events = loose();
        events.otherwise(fallback);
        const error = thrownBy(() => events.otherwise(again));
        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toContain('kiketEvents: otherwise() is called twice');
      }
    },
  );
});

describe('registered', () => {
  it('should list the patterns in the order of registration, with the version as the platform writes it', () => {
    const events = kiketEvents()
      .on('*', ok)
      .on('issue.created@2', ok)
      .on(['issue.updated', 'a@beta', 'b.*'], { scopes: ['x'] }, ok)
      .on('issue.created@v1', ok)
      .otherwise('ignore')
      .on('issue.created', ok);
    expect(events.registered).toEqual([
      { event: '*', version: undefined },
      { event: 'issue.created', version: 'v2' },
      { event: 'issue.updated', version: undefined },
      { event: 'a', version: 'beta' },
      { event: 'b.*', version: undefined },
      { event: 'issue.created', version: 'v1' },
      { event: 'issue.created', version: undefined },
    ]);
  });

  it('should be empty at first', () => {
    expect(kiketEvents().registered).toEqual([]);
    expect(kiketEvents().otherwise(ok).registered).toEqual([]);
  });

  it('should not contain refused registrations', () => {
    const events = kiketEvents().on('a', ok);
    for (const refused of ['a', 'b b', 42]) {
      expect(() => (events as Loose).on(refused, ok)).toThrow(TypeError);
    }
    expect(() => (events as Loose).on('c', {}, 'no handler')).toThrow(TypeError);
    expect(() => (events as Loose).on('d', { scopes: '' }, ok)).toThrow(TypeError);
    expect(events.registered).toEqual([{ event: 'a', version: undefined }]);
  });

  it('should be read-only', () => {
    const events = kiketEvents() as { registered: unknown; on: unknown };
    expect(() => (events.registered = [])).toThrow(TypeError);
    expect(() => (events.on = ok)).toThrow(TypeError);
  });
});

describe('on and otherwise', () => {
  it('should return the middleware itself', () => {
    const events = kiketEvents();
    expect(events.on('a', ok)).toBe(events);
    expect(events.on('b', {}, ok)).toBe(events);
    expect(events.otherwise('ignore')).toBe(events);
    // Express treats a function with four parameters as an error handler.
    expect(events).toHaveLength(3);
  });
});

describeMajors('a change of registered', (express) => {
  it('should not change the routing', async () => {
    const events = kiketEvents().on('issue.created', ok).on('issue.updated', ok);
    const registered = events.registered as { event: string; version: string | undefined }[];
    expect(() => (registered[0]!.event = 'other')).toThrow(TypeError);
    registered.splice(0, 2, { event: 'other', version: undefined });
    expect(events.registered.map(({ event }) => event)).toEqual(['issue.created', 'issue.updated']);

    const app = endpoint(express, [kiket({ secret }), events, kiketErrorHandler()]);
    await deliver(app, { event: 'issue.created' }).expect(200);
    const response = await deliver(app, { event: 'other' }).expect(404);
    expect(response.body).toMatchObject({ error: { details: [{ events: ['issue.created', 'issue.updated'] }] } });
  });
});
